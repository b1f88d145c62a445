use std::collections::VecDeque;
use std::env;
use std::io;
use std::time::Instant;

use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::arguments::Connect;
use super::command::{Command, HELP};
use super::front::{Front, Input};
use super::history::History;
use super::line::{Done, Editor, Key, Keys};
use super::terminal::{self, Terminal};
use super::{escape, hex, shown};

/// The longest line that can be typed; what is longer is for a pipe.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Pings whose answers are waited for.
const PINGS_OUT: usize = 16;

/// A person at a terminal.
pub(super) struct Interactive {
    editor: Editor,
    keys: Keys,
    typed: mpsc::Receiver<Vec<u8>>,
    resized: Signal,
    pings: VecDeque<(Vec<u8>, Instant)>,
    style: Style,
    is_binary: bool,
    writes_json: bool,
    is_quiet: bool,
    is_verbose: bool,
    /// The last, so that it is given back when all is written.
    terminal: Terminal,
}

impl Interactive {
    pub(super) fn new(options: &Connect) -> io::Result<Self> {
        let (history, trouble) = history(options);
        let resized = signal(SignalKind::window_change())?;
        let terminal = Terminal::new()?;
        let max_bytes = options.max_message_bytes.min(MAX_LINE_BYTES);
        let mut interactive = Self {
            editor: Editor::new(history, terminal.size(), max_bytes),
            keys: Keys::new(max_bytes),
            typed: terminal::typed()?,
            resized,
            pings: VecDeque::new(),
            style: Style::new(),
            is_binary: options.binary,
            writes_json: options.json_lines,
            is_quiet: options.quiet,
            is_verbose: options.verbose,
            terminal,
        };
        if let Some(trouble) = trouble {
            interactive.notice(&trouble);
        }
        interactive.repaint()?;
        Ok(interactive)
    }

    /// Does what a key asks for; some are for the session.
    fn press(&mut self, key: Key) -> io::Result<Option<Input>> {
        let is_long = key == Key::LongPaste;
        match self.editor.press(key) {
            Done::Edited => self.repaint()?,
            Done::Useless if is_long => self.complain("what was pasted is too long for a line")?,
            Done::Useless => terminal::write("\x07")?,
            Done::ClearScreen => {
                self.editor.clear();
                terminal::write(&format!("\x1b[H\x1b[2J{}", self.editor.draw()))?;
            }
            Done::GivenUp => {
                let line = self.editor.give_up();
                let left = self.editor.leave_line(&line);
                terminal::write(&format!("{left}{}", self.editor.draw()))?;
            }
            Done::Suspend => {
                terminal::write(&self.editor.clear())?;
                self.terminal.suspend()?;
                self.repaint()?;
            }
            Done::Leave => return Ok(Some(Input::Leave)),
            Done::Line(line) => return self.entered(&line),
        }
        Ok(None)
    }

    fn entered(&mut self, line: &str) -> io::Result<Option<Input>> {
        self.measure();
        let left = self.editor.leave_line(line);
        terminal::write(&format!("{left}{}", self.editor.draw()))?;
        if let Err(error) = self.editor.history.add(line) {
            self.editor.history.forget_file();
            self.complain(&format!("the history cannot be kept: {error}"))?;
        }
        match Command::parse(line, self.is_binary) {
            Ok(Command::Nothing) => Ok(None),
            Ok(Command::Help) => {
                self.print(&format!("{HELP}\n"))?;
                Ok(None)
            }
            Ok(Command::Input(input)) => {
                if let Input::Send(Message::Ping(payload)) = &input {
                    if self.pings.len() == PINGS_OUT {
                        self.pings.pop_front();
                    }
                    self.pings.push_back((payload.to_vec(), Instant::now()));
                }
                Ok(Some(input))
            }
            Err(why) => {
                self.complain(&escape::one_line(&why))?;
                Ok(None)
            }
        }
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.measure();
        let text = self.editor.clear() + &self.editor.draw();
        terminal::write(&text)
    }

    /// Prints whole lines above the one being typed.
    fn print(&mut self, text: &str) -> io::Result<()> {
        self.measure();
        terminal::write(&self.editor.above(text))
    }

    /// The signal of a new size may come after what is typed or received at that size.
    fn measure(&mut self) {
        self.editor.resize(self.terminal.size());
    }

    fn complain(&mut self, text: &str) -> io::Result<()> {
        let text = self.style.wrong(text);
        self.print(&format!("{text}\n"))
    }

    /// The time that a ping took whose answer this is, if it was sent from the prompt.
    fn answered(&mut self, payload: &[u8]) -> Option<String> {
        let found = self.pings.iter().position(|(sent, _)| sent == payload)?;
        let (_, at) = self.pings.remove(found)?;
        let took = at.elapsed().as_secs_f64() * 1e3;
        let text = String::from_utf8_lossy(payload);
        let text = if text.is_empty() { String::new() } else { format!(" {}", escape::one_line(&text)) };
        Some(format!("pong{text}, after {took:.1} ms"))
    }

    async fn key(&mut self) -> Option<Key> {
        loop {
            if let Some(key) = self.keys.next() {
                return Some(key);
            }
            select! {
                piece = self.typed.recv() => self.keys.push(&piece?),
                _ = self.resized.recv() => self.repaint().ok()?,
            }
        }
    }
}

impl Front for Interactive {
    const AHEAD: usize = 64;
    const IS_INTERACTIVE: bool = true;

    async fn next(&mut self) -> Input {
        // Without a terminal, there is nobody to stay for.
        while let Some(key) = self.key().await {
            match self.press(key) {
                Ok(Some(input)) => return input,
                Ok(None) => {}
                Err(_) => break,
            }
        }
        Input::Leave
    }

    fn show(&mut self, message: &Message) -> io::Result<()> {
        if self.writes_json {
            let line = escape::one_line(&shown::as_json(message));
            return self.print(&format!("{line}\n"));
        }
        match message {
            Message::Text(text) => {
                let text = escape::for_screen(text);
                self.print(&format!("{}{text}\n", self.style.mark("< ")))
            }
            Message::Binary(bytes) => {
                let what = format!("[{} bytes] ", bytes.len());
                let line =
                    format!("{}{}{}\n", self.style.mark("< "), self.style.faint(&what), hex::encode(bytes));
                self.print(&line)
            }
            Message::Pong(payload) => {
                if let Some(text) = self.answered(payload) {
                    self.notice(&text);
                }
                Ok(())
            }
            Message::Ping(payload) if self.is_verbose => {
                self.notice(&format!("ping {}", hex::encode(payload)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn notice(&mut self, text: &str) {
        if !self.is_quiet {
            let text = self.style.faint(&escape::one_line(text));
            // A terminal that is gone is seen when the next key is waited for.
            let _ = self.print(&format!("{text}\n"));
        }
    }
}

impl Drop for Interactive {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = terminal::write(&self.editor.clear());
    }
}

/// The history, and what is wrong with its file.
fn history(options: &Connect) -> (History, Option<String>) {
    let path = History::usual_path().filter(|_| !options.no_history);
    let Some(path) = path else { return (History::default(), None) };
    let name = path.display().to_string();
    match History::load(path) {
        Ok(history) => (history, None),
        Err(error) => (History::default(), Some(format!("the history in {name} cannot be read: {error}"))),
    }
}

/// Colours, unless they are not wanted (<https://no-color.org>) or not there.
#[derive(Debug, Clone, Copy)]
struct Style {
    has_colours: bool,
}

impl Style {
    fn new() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self { has_colours: !is_set("NO_COLOR") }
    }

    fn mark(self, text: &str) -> String {
        self.with("36", text)
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn wrong(self, text: &str) -> String {
        self.with("31", text)
    }

    fn with(self, colour: &str, text: &str) -> String {
        if self.has_colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
