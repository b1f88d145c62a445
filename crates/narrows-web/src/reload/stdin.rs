use std::io::{self, Read};
use std::sync::Arc;
use std::thread;

use super::Reload;

/// A longer line is none that this program knows.
const MAX_LINE_BYTES: usize = 256;

/// Reads the lines of standard input on a thread of its own, to their end.
pub(super) fn read(reload: Arc<Reload>) {
    let read = move || {
        if let Err(error) = lines(io::stdin().lock(), |line| {
            match line {
                b"reload" => reload.reload(),
                // One of a later version.
                other => tracing::debug!(line = %String::from_utf8_lossy(other), "an unknown line"),
            }
        }) {
            tracing::warn!(%error, "standard input cannot be read");
        }
        reload.end();
    };
    thread::Builder::new().name("narrows-reload".to_owned()).spawn(read).expect("there is room for a thread");
}

fn lines(mut input: impl Read, mut handle: impl FnMut(&[u8])) -> io::Result<()> {
    let (mut piece, mut line, mut too_long) = ([0; 256], Vec::new(), false);
    loop {
        let read = match input.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for &byte in &piece[..read] {
            if byte == b'\n' {
                if !too_long {
                    handle(line.trim_ascii());
                }
                line.clear();
                too_long = false;
            } else if line.len() < MAX_LINE_BYTES {
                line.push(byte);
            } else {
                too_long = true;
            }
        }
    }
}
