use std::io;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::error::BenchError;
use super::member::Member;
use super::sequence::Sequence;

/// All members on one epoll, with one read buffer.
pub(super) struct Pump {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    pub(super) members: Vec<Member>,
    closed: usize,
    first_closed: Option<io::Error>,
}

impl Pump {
    pub(super) fn new(mut members: Vec<Member>) -> Result<Self, BenchError> {
        let poll = Poll::new()?;
        for (member, token) in members.iter_mut().zip(0..) {
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut member.stream, Token(token), both)?;
        }
        let buffer = vec![0; 64 * 1024].into();
        let mut pump = Self {
            poll,
            events: Events::with_capacity(1024),
            buffer,
            members,
            closed: 0,
            first_closed: None,
        };
        // All of them can be written: those events are of no use to anyone.
        pump.turn(Duration::ZERO, |_, _| {})?;
        Ok(pump)
    }

    /// Waits for something to happen, at the longest for so long, and hands each message on.
    pub(super) fn turn(
        &mut self,
        wait: Duration,
        mut message: impl FnMut(&mut Sequence, &[u8]),
    ) -> Result<(), BenchError> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let member = &mut self.members[event.token().0];
            let read = if event.is_readable() { member.read(&mut self.buffer, &mut message) } else { Ok(()) };
            let flushed = if event.is_writable() { member.flush() } else { Ok(()) };
            if let Err(error) = read.and(flushed) {
                self.closed += 1;
                self.first_closed.get_or_insert(error);
                self.poll.registry().deregister(&mut member.stream)?;
            }
        }
        Ok(())
    }

    /// An error once a connection has ended: what is measured after that means little.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        match &self.first_closed {
            None => Ok(()),
            Some(why) => {
                Err(BenchError::Closed { closed: self.closed, of: self.members.len(), why: why.to_string() })
            }
        }
    }
}
