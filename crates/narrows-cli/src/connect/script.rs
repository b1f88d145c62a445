use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::thread;

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::arguments::Connect;
use super::front::{Front, Input};
use super::{escape, hex, shown};

/// Lines that are read ahead.
const LINES_AHEAD: usize = 16;

/// Standard input and output, of which at least one is no terminal.
pub(super) struct Script {
    lines: mpsc::Receiver<Input>,
    writes_json: bool,
    /// Whether the output is for eyes, and what comes could command the terminal.
    is_on_screen: bool,
    is_verbose: bool,
}

impl Script {
    pub(super) fn new(options: &Connect) -> io::Result<Self> {
        let (sender, lines) = mpsc::channel(LINES_AHEAD);
        let reader = Reader { is_binary: options.binary, max_bytes: options.max_message_bytes };
        // It may wait for a line when all else is over, so nobody waits for it.
        thread::Builder::new().name("input".to_owned()).spawn(move || reader.run(&sender))?;
        Ok(Self {
            lines,
            writes_json: options.json_lines,
            is_on_screen: io::stdout().is_terminal(),
            is_verbose: options.verbose,
        })
    }
}

impl Front for Script {
    const AHEAD: usize = 1;
    const IS_INTERACTIVE: bool = false;

    async fn next(&mut self) -> Input {
        self.lines.recv().await.unwrap_or(Input::End)
    }

    fn show(&mut self, message: &Message) -> io::Result<()> {
        let line = if self.writes_json { Some(shown::as_json(message)) } else { shown::as_text(message) };
        let Some(mut line) = line else {
            if let Message::Ping(payload) | Message::Pong(payload) = message {
                let kind = if message.is_ping() { "ping" } else { "pong" };
                self.notice(&format!("{kind} {}", hex::encode(payload)));
            }
            return Ok(());
        };
        if self.is_on_screen {
            line = escape::for_screen(&line);
        }
        line.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes())?;
        out.flush()
    }

    fn notice(&mut self, text: &str) {
        if self.is_verbose {
            // There is no better place to say that this place is gone.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Reads lines as messages, in a thread of its own: a terminal or pipe may keep it waiting.
struct Reader {
    is_binary: bool,
    max_bytes: usize,
}

impl Reader {
    fn run(&self, to: &mpsc::Sender<Input>) {
        let mut input = BufReader::new(io::stdin().lock());
        for number in 1_u64.. {
            let line = self.line(&mut input).transpose();
            let Some(line) = line else { return };
            let input = match line.and_then(|line| self.message(line)) {
                Ok(message) => Input::Send(message),
                Err(why) => Input::Wrong(format!("line {number} of the input: {why}")),
            };
            let is_last = matches!(input, Input::Wrong(_));
            if to.blocking_send(input).is_err() || is_last {
                return;
            }
        }
    }

    /// The next line without its end; none at the end of the input.
    fn line(&self, input: &mut impl BufRead) -> Result<Option<Vec<u8>>, String> {
        // The digits of a line in hexadecimal, with a space after each byte, and the line's end.
        let max_bytes = if self.is_binary { self.max_bytes.saturating_mul(3) } else { self.max_bytes };
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(3);
        let mut line = Vec::new();
        let read =
            input.by_ref().take(limit).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(None);
        }
        if line.pop_if(|byte| *byte == b'\n').is_some() {
            line.pop_if(|byte| *byte == b'\r');
        }
        if line.len() > max_bytes { Err(self.too_long()) } else { Ok(Some(line)) }
    }

    fn message(&self, line: Vec<u8>) -> Result<Message, String> {
        let text = String::from_utf8(line).map_err(|_| "it is no UTF-8".to_owned())?;
        if !self.is_binary {
            return Ok(Message::text(text));
        }
        let bytes = hex::decode(&text)?;
        if bytes.len() > self.max_bytes { Err(self.too_long()) } else { Ok(Message::binary(bytes)) }
    }

    fn too_long(&self) -> String {
        format!("it is longer than --max-message-bytes, {}", self.max_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(reader: &Reader, mut text: &[u8]) -> Vec<Result<Vec<u8>, String>> {
        let mut lines = Vec::new();
        while let Some(line) = reader.line(&mut text).transpose() {
            let is_wrong = line.is_err();
            lines.push(line);
            if is_wrong {
                break;
            }
        }
        lines
    }

    #[test]
    fn lines_end_with_either_end_or_none() {
        let reader = Reader { is_binary: false, max_bytes: 3 };
        let expected: Vec<_> = ["a", "", "abc", "b"].map(|line| Ok(line.as_bytes().to_vec())).into();
        assert_eq!(lines(&reader, b"a\r\n\nabc\r\nb"), expected);
        assert!(lines(&reader, b"abc\nabcd\n")[1].as_ref().unwrap_err().contains("longer"));
        assert!(lines(&reader, b"abcdefghi")[0].is_err());
    }

    #[test]
    fn a_line_that_is_no_message_says_why() {
        let text = Reader { is_binary: false, max_bytes: 9 };
        assert!(text.message(vec![0xff]).unwrap_err().contains("UTF-8"));
        let binary = Reader { is_binary: true, max_bytes: 2 };
        assert_eq!(binary.message(b"01 ff".to_vec()).unwrap(), Message::binary(vec![1, 255]));
        assert!(binary.message(b"010203".to_vec()).unwrap_err().contains("longer"));
        assert!(binary.message(b"xy".to_vec()).unwrap_err().contains("`x`"));
    }
}
