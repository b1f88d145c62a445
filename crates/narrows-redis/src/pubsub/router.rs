use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narrows_core::{Gap, Topic};
use redis::{PushInfo, PushKind, Value};

use crate::inlet::Inlet;
use crate::wire::{Opened, Wire};

/// A Redis channel.
pub(super) type Name = Arc<str>;

/// Which Redis channels this node wants and what topics they are: the way of what arrives.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) wire: Wire,
    pub(super) inlet: Inlet,
    wanted: Mutex<HashMap<Name, Wanted>>,
}

#[derive(Debug)]
struct Wanted {
    topic: Topic,
    /// The number of the server that it is, or is to be, subscribed on.
    server: Option<usize>,
}

/// What is to be done about something that Redis sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// A message for a channel that nobody wants: its subscription is to end.
    Stray(Name),
    /// The server ended a subscription that is wanted: the name has moved.
    Displaced,
}

impl Router {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, inlet: Inlet::default(), wanted: Mutex::default() }
    }

    pub(super) fn want(&self, name: Name, topic: Topic) {
        self.wanted().insert(name, Wanted { topic, server: None });
    }

    pub(super) fn is_wanted(&self, name: &str, on: usize) -> bool {
        self.wanted().get(name).is_some_and(|wanted| wanted.server == Some(on))
    }

    /// `false` when nobody wants it any more.
    pub(super) fn place(&self, name: &str, server: usize) -> bool {
        self.wanted().get_mut(name).map(|wanted| wanted.server = Some(server)).is_some()
    }

    /// Where it was.
    pub(super) fn forget(&self, name: &str) -> Option<usize> {
        self.wanted().remove(name)?.server
    }

    /// All that is wanted, and on which server it is.
    pub(super) fn places(&self) -> Vec<(Name, Option<usize>)> {
        self.wanted().iter().map(|(name, wanted)| (name.clone(), wanted.server)).collect()
    }

    pub(super) fn on(&self, server: usize) -> Vec<Name> {
        let mine = |wanted: &Wanted| wanted.server == Some(server);
        self.wanted().iter().filter(|(_, wanted)| mine(wanted)).map(|(name, _)| name.clone()).collect()
    }

    /// Says that messages of these may have been lost; of all, where one notice says as much.
    pub(super) fn gap(&self, names: &[Name], all: bool) {
        if all && !names.is_empty() {
            return self.inlet.gap(None, Gap::Reconnected);
        }
        for name in names {
            let topic = self.wanted().get(name).map(|wanted| wanted.topic.clone());
            if let Some(topic) = topic {
                self.inlet.gap(Some(&topic), Gap::Reconnected);
            }
        }
    }

    /// Takes in what a server sent unasked.
    pub(super) fn take(&self, server: usize, push: PushInfo) -> Verdict {
        let mut data = push.data.into_iter();
        match (push.kind, data.next(), data.next()) {
            (
                PushKind::Message | PushKind::SMessage,
                Some(Value::BulkString(name)),
                Some(Value::BulkString(wire)),
            ) => self.message(&String::from_utf8_lossy(&name), wire),
            (PushKind::SUnsubscribe, Some(Value::BulkString(name)), _) => {
                match self.is_wanted(&String::from_utf8_lossy(&name), server) {
                    true => Verdict::Displaced,
                    false => Verdict::Fine,
                }
            }
            _ => Verdict::Fine,
        }
    }

    fn message(&self, name: &str, wire: Vec<u8>) -> Verdict {
        let Some(topic) = self.wanted().get(name).map(|wanted| wanted.topic.clone()) else {
            return Verdict::Stray(name.into());
        };
        match self.wire.open(wire) {
            Ok(Opened { payload, at }) => self.inlet.deliver(&topic, payload, at),
            Err(why) => self.inlet.skip(why, name),
        }
        Verdict::Fine
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<Name, Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
