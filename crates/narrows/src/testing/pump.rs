use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::received::Received;
use crate::transport::frame::{Decoder, FrameLimits, Item, Opcode, Role, encode_masked};

/// What a [`TestClient`](super::TestClient) asks of its pump.
pub(super) enum Command {
    /// Write one frame; the sender is told when the pipe has taken the last of it.
    Frame(Opcode, Vec<u8>, oneshot::Sender<()>),
    /// Write these bytes as they are.
    Bytes(Vec<u8>, oneshot::Sender<()>),
    Read(bool),
    AnswerPings(bool),
}

/// A client's ends of the channels to its pump.
pub(super) struct Handle {
    pub(super) commands: UnboundedSender<Command>,
    pub(super) received: UnboundedReceiver<Received>,
    pub(super) pongs: UnboundedReceiver<Bytes>,
}

/// The client's side of the pipe: a task of its own, so that a client reads and answers pings while its test
/// does something else, as a browser does.
///
/// It ends, and the pipe with it, when the client is dropped.
pub(super) struct Pump {
    stream: DuplexStream,
    commands: UnboundedReceiver<Command>,
    received: UnboundedSender<Received>,
    pongs: UnboundedSender<Bytes>,
    outgoing: Outgoing,
    decoder: Decoder,
    reads: bool,
    answers_pings: bool,
    closed: bool,
}

/// A test's server is trusted with memory.
const LIMITS: FrameLimits =
    FrameLimits { max_frame_bytes: usize::MAX, max_message_bytes: usize::MAX, max_fragments: usize::MAX };

impl Pump {
    /// Starts a pump on a pipe from which `early` was read already.
    pub(super) fn start(stream: DuplexStream, mut early: Vec<u8>) -> Handle {
        let (commands, asked) = mpsc::unbounded_channel();
        let (tell, received) = mpsc::unbounded_channel();
        let (tell_pong, pongs) = mpsc::unbounded_channel();
        let mut pump = Self {
            stream,
            commands: asked,
            received: tell,
            pongs: tell_pong,
            outgoing: Outgoing::default(),
            decoder: Decoder::new(Role::Client),
            reads: true,
            answers_pings: true,
            closed: false,
        };
        pump.take_in(&mut early);
        tokio::spawn(pump);
        Handle { commands, received, pongs }
    }

    /// Takes in bytes that the server sent. A message that nobody is left to receive may be dropped: the
    /// client is gone then, and the pump ends next.
    fn take_in(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() && !self.closed {
            let (used, item) = match self.decoder.decode(bytes, &LIMITS) {
                Ok(decoded) => decoded,
                Err(error) => return self.end(1002, format!("the server broke the protocol: {error}")),
            };
            let mut end = None;
            match item {
                None => {}
                Some(Item::Ping(_)) if !self.answers_pings => {}
                Some(Item::Ping(payload)) => self.outgoing.frame(Opcode::Pong, payload),
                Some(Item::Pong(payload)) => drop(self.pongs.send(Bytes::copy_from_slice(payload))),
                Some(Item::Text(text)) => drop(self.received.send(Received::Text(text.to_owned()))),
                Some(Item::Binary(data)) => {
                    drop(self.received.send(Received::Binary(Bytes::copy_from_slice(data))));
                }
                Some(Item::Close(None)) => {
                    self.outgoing.frame(Opcode::Close, &[]);
                    end = Some((1005, String::new()));
                }
                Some(Item::Close(Some((code, reason)))) => {
                    self.outgoing.frame(Opcode::Close, &code.to_be_bytes());
                    end = Some((code, reason.to_owned()));
                }
            }
            if let Some((code, reason)) = end {
                self.end(code, reason);
            }
            bytes = &mut bytes[used..];
        }
    }

    fn end(&mut self, code: u16, reason: String) {
        if !std::mem::replace(&mut self.closed, true) {
            drop(self.received.send(Received::Closed { code, reason }));
        }
    }

    /// Reads what there is; ready when the stream has ended.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 4096];
        while self.reads {
            let mut buffer = ReadBuf::new(&mut space);
            let read = std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            let filled = buffer.filled_mut();
            if read.is_err() || filled.is_empty() {
                self.end(1006, String::new());
                return Poll::Ready(());
            }
            self.take_in(filled);
        }
        Poll::Pending
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = self.get_mut();
        loop {
            match pump.commands.poll_recv(cx) {
                Poll::Ready(Some(Command::Frame(opcode, payload, taken))) => {
                    pump.outgoing.frame(opcode, &payload);
                    pump.outgoing.tell(taken);
                }
                Poll::Ready(Some(Command::Bytes(bytes, taken))) => {
                    pump.outgoing.bytes(&bytes);
                    pump.outgoing.tell(taken);
                }
                Poll::Ready(Some(Command::Read(reads))) => pump.reads = reads,
                Poll::Ready(Some(Command::AnswerPings(answers))) => pump.answers_pings = answers,
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        let ended = pump.poll_read(cx);
        pump.outgoing.poll_write(&mut pump.stream, cx);
        ended
    }
}

/// What is on its way into the pipe.
#[derive(Default)]
struct Outgoing {
    waiting: VecDeque<u8>,
    /// How many bytes were ever queued, and written.
    queued: u64,
    written: u64,
    /// Whom to tell when so many bytes are written.
    tell: VecDeque<(u64, oneshot::Sender<()>)>,
    frames: u32,
}

impl Outgoing {
    fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        self.frames = self.frames.wrapping_add(1);
        // Keys that differ from frame to frame; nobody is there to guess them.
        let key = self.frames.wrapping_mul(0x9E37_79B9).to_be_bytes();
        self.bytes(&encode_masked(opcode, payload, key));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
        self.queued += bytes.len() as u64;
    }

    fn tell(&mut self, taken: oneshot::Sender<()>) {
        self.tell.push_back((self.queued, taken));
    }

    fn poll_write(&mut self, stream: &mut DuplexStream, cx: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            match Pin::new(&mut *stream).poll_write(cx, self.waiting.as_slices().0) {
                Poll::Ready(Ok(written @ 1..)) => {
                    drop(self.waiting.drain(..written));
                    self.written += written as u64;
                }
                // The server's side is gone: whoever waits learns it from the end of their channel.
                Poll::Ready(_) => {
                    self.waiting.clear();
                    self.tell.clear();
                }
                Poll::Pending => break,
            }
        }
        while let Some((_, taken)) = self.tell.pop_front_if(|(at, _)| *at <= self.written) {
            // A test need not wait for it.
            let _ = taken.send(());
        }
    }
}
