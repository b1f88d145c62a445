use bytes::Bytes;
use narrows_core::{LayerError, Queue, Topic, TopicKind};

use super::outage::Outage;
use crate::hub::{Hub, Tap};
use crate::sync::Arc;

/// Where the messages of a channel or a group come from.
pub(super) struct Source {
    hub: Arc<Hub>,
    channel: Topic,
    backlog: usize,
    way: Way,
    outage: Outage,
    /// More came than there was room for, and that has been logged.
    overflows: bool,
}

enum Way {
    /// The layer's own queue, shared with other workers.
    Queue(Queue),
    /// A subscription, for groups, and on a layer without queues; `None` between two attempts.
    Tap(Option<Tap>),
}

/// The layer has ended: nothing will come any more.
pub(super) struct Ended;

impl Source {
    pub(super) fn open(hub: &Arc<Hub>, channel: &Topic, backlog: usize) -> Self {
        let queue = if channel.kind() == TopicKind::Channel { hub.open(channel) } else { None };
        let way = queue.map_or(Way::Tap(None), Way::Queue);
        let (hub, channel, outage) = (hub.clone(), channel.clone(), Outage::default());
        Self { hub, channel, backlog, way, outage, overflows: false }
    }

    /// The next message, however long the layer is away.
    ///
    /// # Errors
    /// When the layer has ended.
    ///
    /// # Cancel safety
    /// A dropped call takes nothing.
    pub(super) async fn take(&mut self) -> Result<Bytes, Ended> {
        loop {
            self.outage.pause().await;
            match &mut self.way {
                Way::Queue(queue) => match queue.take().await {
                    Ok(payload) => {
                        self.outage.over(self.channel.name());
                        return Ok(payload);
                    }
                    Err(LayerError::Closed) => return Err(Ended),
                    Err(error) => self.outage.failed(self.channel.name(), &error),
                },
                Way::Tap(tap) => {
                    let tap = tap.get_or_insert_with(|| self.hub.tap(&self.channel, self.backlog));
                    match tap.subscribed().await {
                        Ok(()) => {
                            self.outage.over(self.channel.name());
                            let payload = tap.take().await;
                            self.look_for_overflow();
                            return Ok(payload);
                        }
                        Err(error) if matches!(*error, LayerError::Closed) => return Err(Ended),
                        Err(error) => {
                            self.way = Way::Tap(None);
                            self.outage.failed(self.channel.name(), &*error);
                        }
                    }
                }
            }
        }
    }

    /// Takes no more from the layer, and returns when what had come for this worker is there for others.
    pub(super) async fn close(self) -> Leftover {
        match self.way {
            Way::Queue(queue) => {
                queue.close().await;
                Leftover(None)
            }
            Way::Tap(mut tap) => {
                if let Some(tap) = &mut tap {
                    tap.let_go();
                }
                Leftover(tap)
            }
        }
    }

    /// Logs once when messages begin to be lost, and again only after there was room for a while.
    fn look_for_overflow(&mut self) {
        let Way::Tap(Some(tap)) = &self.way else { return };
        let (lost, left) = tap.pressure();
        if lost > 0 && !self.overflows {
            let (channel, backlog) = (self.channel.name(), self.backlog);
            tracing::warn!(
                channel,
                backlog,
                "more messages come than a worker handles, and some are dropped"
            );
        }
        self.overflows = lost > 0 || self.overflows && left > 0;
    }
}

/// What had come by a subscription and is for nobody else.
pub(super) struct Leftover(Option<Tap>);

impl Leftover {
    pub(super) fn take(&mut self) -> Option<Bytes> {
        self.0.as_mut()?.take_left()
    }
}
