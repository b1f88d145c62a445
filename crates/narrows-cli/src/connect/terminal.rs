use std::io::{self, Read, Write};
use std::thread;

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use tokio::sync::mpsc;

/// Pieces of typed input that are read ahead.
const PIECES_AHEAD: usize = 16;

/// The terminal, told to hand over each key as it is typed; as it was again when this is dropped.
pub(super) struct Terminal {
    before: Termios,
}

impl Terminal {
    pub(super) fn new() -> io::Result<Self> {
        let terminal = Self { before: tcgetattr(io::stdin())? };
        terminal.take()?;
        Ok(terminal)
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = tcgetwinsize(io::stdout()).ok();
        // Some terminals, such as those of some CI machines, have no size.
        let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        size.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)))
    }

    /// Stops the process as Ctrl-Z does, and goes on when the shell wakes it.
    pub(super) fn suspend(&self) -> io::Result<()> {
        self.give_back();
        kill_current_process_group(Signal::TSTP)?;
        self.take()
    }

    fn take(&self) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        modes.input_modes -= InputModes::IXON | InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed ahead is kept.
        tcsetattr(io::stdin(), OptionalActions::Drain, &modes)?;
        // Bracketed paste: line ends in what is pasted do not send it.
        write("\x1b[?2004h")
    }

    fn give_back(&self) {
        // The terminal may be gone, and then it does not matter how it is.
        let _ = write("\x1b[?2004l");
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Writes to the terminal at once.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What is typed, piece by piece, from a thread that waits for it.
pub(super) fn typed() -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    // It waits for a key when all else is over, so nobody waits for it.
    thread::Builder::new().name("keys".to_owned()).spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = io::stdin().lock().read(&mut piece) {
            if sender.blocking_send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    })?;
    Ok(pieces)
}
