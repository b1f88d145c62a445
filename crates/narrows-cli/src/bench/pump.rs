use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use super::end::End;
use super::error::BenchError;
use super::member::{Happening, Member, News};
use super::protocol::Protocol;
use super::sources::Sources;

/// How long a closing handshake may take when all is over.
const FAREWELL: Duration = Duration::from_secs(2);

const ALARM: Token = Token(usize::MAX);

/// All connections on one epoll, with one read buffer.
pub(super) struct Pump {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    pub(super) protocol: Protocol,
    pub(super) sources: Sources,
    pub(super) members: Members,
    alarm: OwnedFd,
    alarm_at: Option<Instant>,
}

/// The connections by their places; a place is used again when its connection has ended.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<Option<Member>>);

/// Learns what happens to connections, each named by its place.
pub(super) trait Listener {
    /// A handshake is done.
    fn opened(&mut self, _place: usize, _at: Instant) {}

    /// A message came to an open connection.
    fn message(&mut self, _place: usize, _payload: &[u8], _at: Instant) {}

    /// A ping of ours is answered.
    fn pong(&mut self, _place: usize) {}

    /// A connection ended, and its place is free.
    fn ended(&mut self, place: usize, end: End, at: Instant);

    /// After what one connection had to tell: the time to send.
    fn settle(&mut self, _members: &mut Members) {}
}

/// How to connect, besides what all connections have in common.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Socket {
    /// Where it comes from, if that is not for the system to say.
    pub(super) from: Option<std::net::IpAddr>,
    pub(super) receive_buffer: Option<usize>,
}

impl Pump {
    pub(super) fn new(protocol: Protocol) -> Result<Self, BenchError> {
        let poll = Poll::new()?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let alarm =
            rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags).map_err(io::Error::from)?;
        poll.registry().register(&mut SourceFd(&alarm.as_raw_fd()), ALARM, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(4096),
            buffer: vec![0; 64 * 1024].into(),
            sources: Sources::new(protocol.targets.ips()),
            protocol,
            members: Members::default(),
            alarm,
            alarm_at: None,
        })
    }

    /// Starts to connect at a free place. `number` stands in the path.
    pub(super) fn connect(&mut self, place: usize, number: usize, socket: Socket) -> Result<(), End> {
        let Socket { from, receive_buffer } = socket;
        let to = self.protocol.targets.of(number).address;
        let mut member =
            Member::connect(to, from, receive_buffer, number, &self.protocol).map_err(End::Connect)?;
        // Edges of both, once and for all: what can be written now is told once, and then only after a full socket.
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut member.stream, Token(place), both).map_err(End::Connect)?;
        self.members.put(place, member);
        Ok(())
    }

    /// Ends the next [`turn`](Self::turn) at this moment. Epoll's own time-out is in milliseconds, which is too
    /// coarse to send by.
    pub(super) fn wake_at(&mut self, at: Instant) -> Result<(), BenchError> {
        if self.alarm_at == Some(at) {
            return Ok(());
        }
        self.alarm_at = Some(at);
        // Zero would disarm it.
        let left = at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let it_value = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        rustix::time::timerfd_settime(&self.alarm, TimerfdTimerFlags::empty(), &once)
            .map_err(io::Error::from)?;
        Ok(())
    }

    /// Waits for something to happen, at the longest for so long, and tells the listener of it.
    pub(super) fn turn(
        &mut self,
        wait: Duration,
        listener: &mut (impl Listener + ?Sized),
    ) -> Result<(), BenchError> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let Self { events, members, protocol, buffer, .. } = self;
        for event in events.iter() {
            members.tell(event.token().0, Happening::of(event), protocol, buffer, listener);
            listener.settle(members);
        }
        Ok(())
    }

    /// Reads a connection whose events were not heeded: they are not repeated.
    pub(super) fn read(&mut self, place: usize, listener: &mut (impl Listener + ?Sized)) {
        let Self { members, protocol, buffer, .. } = self;
        members.tell(place, Happening::unheeded(), protocol, buffer, listener);
    }

    /// Says goodbye on all connections, so that the server and the ports are free for whoever comes next.
    pub(super) fn close(&mut self) -> Result<(), BenchError> {
        for member in self.members.0.iter_mut().flatten() {
            member.leave();
        }
        let deadline = Instant::now() + FAREWELL;
        while self.members.count() > 0 && Instant::now() < deadline {
            self.turn(Duration::from_millis(50), &mut Deaf)?;
        }
        for place in 0..self.members.0.len() {
            self.members.abort(place);
        }
        Ok(())
    }
}

impl Members {
    fn put(&mut self, place: usize, member: Member) {
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(member);
    }

    fn tell(
        &mut self,
        place: usize,
        happening: Happening,
        protocol: &Protocol,
        buffer: &mut [u8],
        listener: &mut (impl Listener + ?Sized),
    ) {
        let Some(member) = self.get(place) else { return };
        let done = member.ready(happening, protocol, buffer, &mut |news, at| match news {
            News::Message(payload) => listener.message(place, payload, at),
            News::Opened => listener.opened(place, at),
            News::Pong => listener.pong(place),
        });
        if let Err(end) = done {
            self.abort(place);
            listener.ended(place, end, Instant::now());
        }
    }

    pub(super) fn get(&mut self, place: usize) -> Option<&mut Member> {
        self.0.get_mut(place)?.as_mut()
    }

    pub(super) fn is_open(&self, place: usize) -> bool {
        matches!(self.0.get(place), Some(Some(member)) if member.is_open())
    }

    /// Drops a connection that we have lost patience with, if it is still there: how it ended.
    pub(super) fn give_up(&mut self, place: usize) -> Option<End> {
        let end = self.get(place)?.timed_out();
        self.abort(place);
        Some(end)
    }

    /// Drops a connection at once.
    pub(super) fn abort(&mut self, place: usize) {
        if let Some(member) = self.0.get_mut(place).and_then(Option::take) {
            member.abort();
        }
    }

    fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

struct Deaf;

impl Listener for Deaf {
    fn ended(&mut self, _place: usize, _end: End, _at: Instant) {}
}
