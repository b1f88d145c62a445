use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, ClaimStore, HistoryStore, Inbound, LayerError, PayloadFormat, PresenceStore, Queue, Topic,
};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), LayerError>> + Send + 'a>>;

/// The boxed twin of [`ChannelLayer`], so that nothing a user names is generic over the layer.
pub(crate) trait DynLayer: Send + Sync {
    fn start(&self, inbound: Inbound);
    fn format(&self) -> PayloadFormat;
    fn subscribe<'a>(&'a self, topic: &'a Topic) -> Answer<'a>;
    fn unsubscribe<'a>(&'a self, topic: &'a Topic) -> Answer<'a>;
    fn publish<'a>(&'a self, topic: &'a Topic, payload: Bytes) -> Answer<'a>;
    fn publish_now(&self, topic: &Topic, payload: &Bytes) -> Option<Result<(), LayerError>>;
    fn new_channel(&self) -> String;
    fn open(&self, channel: &Topic) -> Option<Queue>;
    fn history(&self) -> Option<HistoryStore>;
    fn presence(&self) -> Option<PresenceStore>;
    fn claims(&self) -> Option<ClaimStore>;
}

impl<L: ChannelLayer> DynLayer for L {
    fn start(&self, inbound: Inbound) {
        ChannelLayer::start(self, inbound);
    }
    fn format(&self) -> PayloadFormat {
        ChannelLayer::format(self)
    }
    fn subscribe<'a>(&'a self, topic: &'a Topic) -> Answer<'a> {
        Box::pin(ChannelLayer::subscribe(self, topic))
    }
    fn unsubscribe<'a>(&'a self, topic: &'a Topic) -> Answer<'a> {
        Box::pin(ChannelLayer::unsubscribe(self, topic))
    }
    fn publish<'a>(&'a self, topic: &'a Topic, payload: Bytes) -> Answer<'a> {
        Box::pin(ChannelLayer::publish(self, topic, payload))
    }
    fn publish_now(&self, topic: &Topic, payload: &Bytes) -> Option<Result<(), LayerError>> {
        ChannelLayer::publish_now(self, topic, payload)
    }
    fn new_channel(&self) -> String {
        ChannelLayer::new_channel(self)
    }
    fn open(&self, channel: &Topic) -> Option<Queue> {
        ChannelLayer::open(self, channel)
    }
    fn history(&self) -> Option<HistoryStore> {
        ChannelLayer::history(self)
    }
    fn presence(&self) -> Option<PresenceStore> {
        ChannelLayer::presence(self)
    }
    fn claims(&self) -> Option<ClaimStore> {
        ChannelLayer::claims(self)
    }
}
