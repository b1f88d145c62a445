use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};

use super::end::End;
use super::frame::{self, Frame};
use super::handshake;
use super::protocol::{Greeting, Payload, Protocol};

/// One connection of the generator: its socket, and what is not yet a whole frame.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) stream: TcpStream,
    /// Which one it is of all that are ever opened.
    number: usize,
    stage: Stage,
    partial: Vec<u8>,
    unsent: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The TCP connection is not there yet, as far as we know.
    Connecting,
    /// The request is on its way.
    Asked,
    Greeting(Greeting),
    Open,
    /// Open, and never read.
    Stalled,
    /// We sent a close frame.
    Leaving,
}

/// What an open connection has to tell.
#[derive(Debug)]
pub(super) enum News<'a> {
    /// The handshake is done.
    Opened,
    Message(&'a [u8]),
    Pong,
}

/// What epoll says of a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Happening {
    readable: bool,
    writable: bool,
    /// There is an end or an error behind what can be read.
    ended: bool,
    failed: bool,
}

impl Happening {
    pub(super) fn of(event: &Event) -> Self {
        Self {
            readable: event.is_readable(),
            writable: event.is_writable(),
            ended: event.is_read_closed() || event.is_error(),
            failed: event.is_error(),
        }
    }

    /// Anything may have happened.
    pub(super) fn unheeded() -> Self {
        Self { readable: true, writable: true, ended: true, failed: false }
    }
}

impl Member {
    /// Starts to connect.
    pub(super) fn connect(
        to: SocketAddr,
        from: Option<IpAddr>,
        receive_buffer: Option<usize>,
        number: usize,
        protocol: &Protocol,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), None)?;
        if let Some(from) = from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        if let Some(bytes) = receive_buffer {
            // Before connecting: the window that is offered depends on it.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        Ok(Self {
            stream: TcpStream::from_std(socket.into()),
            number,
            stage: Stage::Connecting,
            partial: Vec::new(),
            unsent: protocol.request(number),
        })
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Stalled)
    }

    /// Does what epoll says can be done, and tells what came of it. The error says how the connection ended.
    pub(super) fn ready(
        &mut self,
        happening: Happening,
        protocol: &Protocol,
        buffer: &mut [u8],
        tell: &mut impl FnMut(News<'_>, Instant),
    ) -> Result<(), End> {
        if self.stage == Stage::Stalled {
            // A reset is seen without reading.
            return if happening.failed {
                Err(self.ended(io::ErrorKind::ConnectionReset.into()))
            } else {
                Ok(())
            };
        }
        if happening.writable && !self.unsent.is_empty() {
            self.write().map_err(|error| self.ended(error))?;
        }
        // An error is learned by reading.
        if happening.readable || happening.ended {
            self.read(happening.ended, protocol, buffer, tell)?;
        }
        Ok(())
    }

    fn read(
        &mut self,
        to_the_end: bool,
        protocol: &Protocol,
        buffer: &mut [u8],
        tell: &mut impl FnMut(News<'_>, Instant),
    ) -> Result<(), End> {
        loop {
            let filled = match self.stream.read(buffer) {
                Ok(0) => return Err(self.ended(io::ErrorKind::UnexpectedEof.into())),
                Ok(filled) => filled,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Not connected yet: that is told by an event of its own.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(self.ended(error)),
            };
            let mut at = Stamped(Instant::now(), tell);
            if self.partial.is_empty() {
                let used = self.take_in(&buffer[..filled], protocol, &mut at)?;
                self.partial.extend_from_slice(&buffer[used..filled]);
            } else {
                let mut bytes = std::mem::take(&mut self.partial);
                bytes.extend_from_slice(&buffer[..filled]);
                let used = self.take_in(&bytes, protocol, &mut at)?;
                bytes.drain(..used);
                self.partial = bytes;
            }
            // Less than there was room for is all there is: epoll tells when there is more.
            if filled < buffer.len() && !to_the_end {
                return Ok(());
            }
        }
    }

    fn take_in(
        &mut self,
        bytes: &[u8],
        protocol: &Protocol,
        tell: &mut Stamped<'_, impl FnMut(News<'_>, Instant)>,
    ) -> Result<usize, End> {
        let mut used = 0;
        if matches!(self.stage, Stage::Connecting | Stage::Asked) {
            let Some(length) = handshake::answer(bytes)? else { return Ok(0) };
            used = length;
            match protocol.greeting() {
                Some(greeting) => self.stage = Stage::Greeting(greeting),
                None => self.opened(tell),
            }
        }
        while let Some((frame, length)) = frame::parse(&bytes[used..])? {
            match frame {
                Frame::Message(payload) => self.payload(payload, protocol, tell)?,
                Frame::Ping(payload) => self.send(|out| frame::append(out, frame::PONG, payload)),
                Frame::Pong => tell.news(News::Pong),
                Frame::Close(_) if self.stage == Stage::Leaving => return Err(End::Left),
                Frame::Close(payload) => {
                    self.send(|out| frame::append(out, frame::CLOSE, payload));
                    return Err(End::closed(payload));
                }
                Frame::Fragment => {}
            }
            used += length;
        }
        Ok(used)
    }

    fn payload(
        &mut self,
        payload: &[u8],
        protocol: &Protocol,
        tell: &mut Stamped<'_, impl FnMut(News<'_>, Instant)>,
    ) -> Result<(), End> {
        let kind = protocol.read(payload);
        // Those come in a greeting too.
        if kind == Payload::Ping {
            self.send(|out| frame::append(out, frame::TEXT, b"3"));
            return Ok(());
        }
        match self.stage {
            Stage::Open => match kind {
                Payload::Message => tell.news(News::Message(payload)),
                Payload::End => return Err(End::Closed("ended by Socket.IO".to_owned())),
                Payload::Ping | Payload::Other => {}
            },
            Stage::Greeting(greeting) => {
                let next = protocol
                    .greet(greeting, payload, self.number, &mut self.unsent)
                    .map_err(|expected| End::unexpected(expected, payload))?;
                self.flush();
                match next {
                    Some(next) => self.stage = Stage::Greeting(next),
                    None => self.opened(tell),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, tell: &mut Stamped<'_, impl FnMut(News<'_>, Instant)>) {
        self.stage = Stage::Open;
        tell.news(News::Opened);
    }

    /// Stops reading, or begins again.
    pub(super) fn stall(&mut self, stall: bool) {
        self.stage = if stall { Stage::Stalled } else { Stage::Open };
    }

    /// Sends a close frame; the connection then ends with [`End::Left`].
    pub(super) fn leave(&mut self) {
        self.stage = Stage::Leaving;
        self.send(|out| frame::append(out, frame::CLOSE, &1000u16.to_be_bytes()));
    }

    /// Sends what `write` appends; what the socket does not take waits until it can.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.unsent);
        self.flush();
    }

    fn flush(&mut self) {
        if self.write().is_err() {
            // Reading says how the connection ended, and epoll reports that.
            self.unsent.clear();
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.stream.write(&self.unsent[sent..]) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected) =>
                {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if sent > 0 {
            self.unsent.drain(..sent);
            if self.stage == Stage::Connecting {
                self.stage = Stage::Asked;
            }
        }
        Ok(())
    }

    /// How a connection ended that we have lost patience with.
    pub(super) fn timed_out(&self) -> End {
        match self.stage {
            Stage::Leaving => End::Lost(io::ErrorKind::TimedOut.into()),
            _ => self.ended(io::ErrorKind::TimedOut.into()),
        }
    }

    fn ended(&self, error: io::Error) -> End {
        match self.stage {
            Stage::Connecting => End::Connect(error),
            Stage::Asked | Stage::Greeting(_) => End::Handshake(error),
            Stage::Leaving => End::Left,
            Stage::Open | Stage::Stalled => End::Lost(error),
        }
    }

    /// Closes the socket without a trace: a connection that is over on both sides would hold its port for a minute.
    pub(super) fn abort(self) {
        // Without it the port is held, which is a nuisance only.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

/// All that one read brought arrived at one time.
struct Stamped<'a, F>(Instant, &'a mut F);

impl<F: FnMut(News<'_>, Instant)> Stamped<'_, F> {
    fn news(&mut self, news: News<'_>) {
        (self.1)(news, self.0);
    }
}
