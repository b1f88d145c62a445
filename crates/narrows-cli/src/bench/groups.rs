use std::time::Instant;

use super::end::End;
use super::envelope::{Envelope, Template};
use super::error::BenchError;
use super::faults::Faults;
use super::flights::Flights;
use super::options::MessageOptions;
use super::pump::{Listener, Members};
use super::recorder::Recorder;
use super::schedule::Schedule;
use super::sequence::{self, Arrival, Sequence};

/// Groups of members, at places one after another: the first of each sends, and all of them check what they get.
#[derive(Debug)]
pub(super) struct Groups {
    /// Of each group.
    members: usize,
    groups: Vec<Flights>,
    sequences: Vec<Sequence>,
    template: Template,
    rate: Option<f64>,
    sending: Sending,
    /// Groups that may have room for another message.
    ready: Vec<usize>,
    /// Deliveries that are on their way.
    outstanding: u64,
    published: u64,
    duplicated: u64,
    out_of_order: u64,
    pub(super) recorder: Recorder,
    closed: usize,
    first_closed: Option<End>,
}

#[derive(Debug)]
enum Sending {
    Stopped,
    /// Each group as its window allows.
    Closed,
    /// All groups in turn, on time, up to this moment.
    Open(Schedule, Instant),
}

impl Groups {
    pub(super) fn new(
        groups: usize,
        members: usize,
        envelope: Envelope,
        options: &MessageOptions,
        recorder: Recorder,
    ) -> Self {
        Self {
            members,
            groups: (0..groups).map(|_| Flights::new(options.window(), members)).collect(),
            sequences: vec![Sequence::default(); groups * members],
            template: envelope.template(options.bytes),
            rate: options.rate,
            sending: Sending::Stopped,
            ready: Vec::new(),
            outstanding: 0,
            published: 0,
            duplicated: 0,
            out_of_order: 0,
            recorder,
            closed: 0,
            first_closed: None,
        }
    }

    /// Starts to send, until `end` at the latest.
    pub(super) fn start(&mut self, now: Instant, end: Instant) {
        self.sending = match self.rate {
            Some(rate) => Sending::Open(Schedule::new(now, rate), end),
            None => Sending::Closed,
        };
        self.ready = (0..self.groups.len()).collect();
    }

    /// Sends no more than what was due by the end; what is on its way still counts.
    pub(super) fn stop(&mut self, members: &mut Members) {
        self.send_due(Instant::now(), members);
        self.sending = Sending::Stopped;
    }

    /// Sends one message to each group, whatever else is going on.
    pub(super) fn send_to_each(&mut self, members: &mut Members) {
        for group in 0..self.groups.len() {
            self.send(group, Instant::now(), 1, members);
        }
    }

    /// When the next message is due, in an open loop.
    pub(super) fn next_due(&self) -> Option<Instant> {
        match &self.sending {
            Sending::Open(schedule, end) => Some(schedule.next()).filter(|due| due <= end),
            Sending::Stopped | Sending::Closed => None,
        }
    }

    /// Deliveries that have not come.
    pub(super) fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// The number that the next message of the first group will have.
    pub(super) fn next_number(&self) -> u64 {
        self.groups[0].next()
    }

    /// Begins anew: what is on its way counts for nothing, and neither does what was counted.
    pub(super) fn forget(&mut self) {
        for (group, sequences) in self.groups.iter_mut().zip(self.sequences.chunks_mut(self.members)) {
            sequences.fill(Sequence::from(group.forget()));
        }
        (self.outstanding, self.published, self.duplicated, self.out_of_order) = (0, 0, 0, 0);
    }

    /// How many messages were sent since the last [`forget`](Self::forget).
    pub(super) fn published(&self) -> u64 {
        self.published
    }

    /// What went wrong since then; what is still on its way counts as lost.
    pub(super) fn faults(&self) -> Faults {
        let &Self { outstanding: lost, duplicated, out_of_order, .. } = self;
        Faults { lost, duplicated, out_of_order }
    }

    /// What has gone wrong up to now.
    pub(super) fn seen_faults(&self) -> u64 {
        self.duplicated + self.out_of_order
    }

    /// An error once a connection has ended: what is measured after that means little.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        match &self.first_closed {
            None => Ok(()),
            Some(why) => Err(BenchError::Closed {
                closed: self.closed,
                of: self.sequences.len(),
                why: why.to_string(),
            }),
        }
    }

    /// Sends what an open loop has due.
    fn send_due(&mut self, now: Instant, members: &mut Members) {
        let Sending::Open(schedule, end) = &mut self.sending else { return };
        while let Some((due, nth)) = schedule.take(now.min(*end)) {
            let group = (nth % self.groups.len() as u64) as usize;
            let Some(number) = self.groups[group].send(due) else { continue };
            let Some(publisher) = members.get(group * self.members) else { continue };
            let template = &mut self.template;
            publisher.send(|out| template.append(out, sequence::join(group, number)));
            self.published += 1;
            self.outstanding += self.members as u64;
        }
    }

    fn send(&mut self, group: usize, sent: Instant, most: usize, members: &mut Members) {
        let Some(publisher) = members.get(group * self.members) else { return };
        let Self { groups, template, published, outstanding, members, .. } = self;
        publisher.send(|out| {
            for _ in 0..most {
                let Some(number) = groups[group].send(sent) else { break };
                template.append(out, sequence::join(group, number));
                *published += 1;
                *outstanding += *members as u64;
            }
        });
    }
}

impl Listener for Groups {
    fn message(&mut self, place: usize, payload: &[u8], at: Instant) {
        let Some(number) = sequence::number(payload) else { return };
        let (group, number) = sequence::split(number);
        if !self.groups.get(group).is_some_and(|flights| flights.knows(number)) {
            return;
        }
        let strayed = place / self.members != group;
        match if strayed { Arrival::Duplicate } else { self.sequences[place].arrive(number) } {
            Arrival::InOrder => {}
            Arrival::OutOfOrder => self.out_of_order += 1,
            // One more than was due to this member, be it its own message again or that of another group.
            Arrival::Duplicate => {
                self.duplicated += 1;
                return;
            }
        }
        let Some(landing) = self.groups[group].land(number) else { return };
        self.outstanding -= 1;
        self.recorder.record(at.saturating_duration_since(landing.sent));
        if landing.room {
            self.ready.push(group);
        }
    }

    fn ended(&mut self, _place: usize, end: End, _at: Instant) {
        self.closed += 1;
        self.first_closed.get_or_insert(end);
    }

    fn settle(&mut self, members: &mut Members) {
        match self.sending {
            Sending::Stopped => {}
            Sending::Closed if self.ready.is_empty() => {}
            Sending::Closed => {
                let now = Instant::now();
                let mut ready = std::mem::take(&mut self.ready);
                for group in ready.drain(..) {
                    self.send(group, now, usize::MAX, members);
                }
                self.ready = ready;
            }
            Sending::Open(..) => {
                self.ready.clear();
                self.send_due(Instant::now(), members);
            }
        }
    }
}
