use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use narrows_core::{LayerError, Take, Topic};
use tokio::sync::Semaphore;

use super::Bus;
use crate::sync::Arc;

/// The channels that are or were open as queues, in one part of the bus.
#[derive(Debug, Default)]
pub(super) struct Queues(HashMap<Topic, Waiting>);

/// What the takers of one channel share. It outlives them while messages are left.
#[derive(Debug)]
struct Waiting {
    messages: VecDeque<Bytes>,
    takers: usize,
    /// As many permits as messages: who has one takes one.
    ready: Arc<Semaphore>,
}

impl Queues {
    /// Keeps a message for the channel's takers, if it has any.
    pub(super) fn push(
        &mut self,
        channel: &Topic,
        payload: &Bytes,
        capacity: usize,
    ) -> Result<(), LayerError> {
        let Some(waiting) = self.0.get_mut(channel).filter(|waiting| waiting.takers > 0) else {
            return Ok(());
        };
        if waiting.messages.len() >= capacity {
            return Err(LayerError::ChannelFull { channel: channel.name().to_owned() });
        }
        waiting.messages.push_back(payload.clone());
        waiting.ready.add_permits(1);
        Ok(())
    }

    fn open(&mut self, channel: &Topic) -> Arc<Semaphore> {
        let waiting = self.0.entry(channel.clone()).or_insert_with(|| Waiting {
            messages: VecDeque::new(),
            takers: 0,
            ready: Arc::new(Semaphore::new(0)),
        });
        waiting.takers += 1;
        waiting.ready.clone()
    }

    fn pop(&mut self, channel: &Topic) -> Option<Bytes> {
        self.0.get_mut(channel)?.messages.pop_front()
    }

    fn leave(&mut self, channel: &Topic) {
        if let Some(waiting) = self.0.get_mut(channel) {
            waiting.takers -= 1;
            if waiting.takers == 0 && waiting.messages.is_empty() {
                self.0.remove(channel);
            }
        }
    }
}

/// One taker of a channel. It holds no message: what it has not taken is there for the others.
pub(super) struct Taker {
    bus: Arc<Bus>,
    channel: Topic,
    ready: Arc<Semaphore>,
}

impl Taker {
    pub(super) fn open(bus: Arc<Bus>, channel: &Topic) -> Self {
        let ready = bus.topics.of(channel).0.queues.open(channel);
        Self { bus, channel: channel.clone(), ready }
    }
}

impl Take for Taker {
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>> {
        Box::pin(async {
            // A call that is dropped gives its permit back; behind this line nothing is waited for.
            let ready = self.ready.acquire().await.map_err(|_| LayerError::Closed)?;
            ready.forget();
            let taken = self.bus.topics.of(&self.channel).0.queues.pop(&self.channel);
            Ok(taken.expect("a permit stands for a message"))
        })
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.bus.topics.of(&self.channel).0.queues.leave(&self.channel);
    }
}
