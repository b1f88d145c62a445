use std::io::{self, Read, Write};

use mio::net::TcpStream;

use super::frame::{self, Frame};
use super::sequence::Sequence;

/// One connection of the generator: its socket, and what is not yet a whole frame.
pub(super) struct Member {
    pub(super) stream: TcpStream,
    pub(super) sequence: Sequence,
    partial: Vec<u8>,
    unsent: Vec<u8>,
}

impl Member {
    pub(super) fn new(stream: TcpStream, early: Vec<u8>) -> Self {
        Self { stream, sequence: Sequence::default(), partial: early, unsent: Vec::new() }
    }

    /// Reads what there is, once, and hands each message on; pings are answered. The error says how the
    /// connection ended.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        mut message: impl FnMut(&mut Sequence, &[u8]),
    ) -> io::Result<()> {
        loop {
            let filled = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the end of the stream without a close frame")),
                Ok(filled) => filled,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.partial.is_empty() {
                let used = self.take_in(&buffer[..filled], &mut message)?;
                self.partial.extend_from_slice(&buffer[used..filled]);
            } else {
                let mut bytes = std::mem::take(&mut self.partial);
                bytes.extend_from_slice(&buffer[..filled]);
                let used = self.take_in(&bytes, &mut message)?;
                self.partial = bytes.split_off(used);
            }
            // Less than there was room for is all there is: epoll tells when there is more.
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }

    fn take_in(&mut self, bytes: &[u8], message: &mut impl FnMut(&mut Sequence, &[u8])) -> io::Result<usize> {
        let mut used = 0;
        while let Some((frame, length)) = frame::parse(&bytes[used..]) {
            match frame {
                Frame::Message(payload) => message(&mut self.sequence, payload),
                Frame::Ping(payload) => self.send(|out| frame::append(out, frame::PONG, payload))?,
                Frame::Close(payload) => return Err(io::Error::other(closed(payload))),
                Frame::Other => {}
            }
            used += length;
        }
        Ok(used)
    }

    /// Sends what `write` appends; what the socket does not take waits for [`flush`](Self::flush).
    pub(super) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.unsent);
        self.flush()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn closed(payload: &[u8]) -> String {
    match payload.split_first_chunk() {
        Some((code, reason)) => {
            format!("closed with {} {}", u16::from_be_bytes(*code), String::from_utf8_lossy(reason))
        }
        None => "closed without a code".to_owned(),
    }
}
