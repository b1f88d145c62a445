use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::error::SuperuserError as Error;

/// What Ctrl-C types.
const INTERRUPT: u8 = 3;

/// Somebody at a terminal.
pub(super) struct Terminal(());

impl Terminal {
    /// The terminal that this command was typed at.
    pub(super) fn open() -> Result<Self, Error> {
        if io::stdin().is_terminal() { Ok(Self(())) } else { Err(Error::NoTerminal) }
    }

    /// What is typed after a question, without the space around it.
    pub(super) fn line(&self, question: &str) -> Result<String, Error> {
        say(question)?;
        Ok(read()?.trim().to_owned())
    }

    /// Whether it begins with a y.
    pub(super) fn confirm(&self, question: &str) -> Result<bool, Error> {
        Ok(self.line(question)?.starts_with(['y', 'Y']))
    }

    /// What is typed after a question, and not shown.
    pub(super) fn secret(&self, question: &str) -> Result<String, Error> {
        // First, so that nothing shows of what is typed when the question is there.
        let hidden = Hidden::new()?;
        say(question)?;
        let typed = read();
        drop(hidden);
        // The Enter was not shown either.
        say("\n")?;
        typed
    }
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line, without its end. The terminal hands it over when it is whole.
fn read() -> Result<String, Error> {
    let (mut line, mut stdin) = (Vec::new(), io::stdin().lock());
    loop {
        let typed = stdin.fill_buf()?;
        if typed.is_empty() {
            return Err(Error::Cancelled);
        }
        let end = typed.iter().position(|byte| matches!(*byte, b'\n' | INTERRUPT));
        line.extend_from_slice(&typed[..end.unwrap_or(typed.len())]);
        let interrupted = end.is_some_and(|end| typed[end] == INTERRUPT);
        let taken = end.map_or(typed.len(), |end| end + 1);
        stdin.consume(taken);
        if interrupted {
            return Err(Error::Cancelled);
        }
        if end.is_some() {
            return String::from_utf8(line).map_err(|_| io::Error::from(io::ErrorKind::InvalidData).into());
        }
    }
}

/// The terminal while it shows nothing of what is typed; as it was again when this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        // Ctrl-C would end the process and leave the terminal as it is: it ends the line instead.
        modes.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        modes.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        // What was typed ahead is kept.
        tcsetattr(io::stdin(), OptionalActions::Drain, &modes)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal may be gone, and then it does not matter how it is.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}
