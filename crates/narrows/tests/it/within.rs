//! Layers of tests that do nearly all as another one does.

/// Methods of a channel layer that are left to the layer in a field of it.
macro_rules! as_within {
    ($field:tt: $($method:ident)*) => { $(crate::within::as_within!(@$method $field);)* };
    (@start $field:tt) => {
        fn start(&self, inbound: narrows::Inbound) {
            self.$field.start(inbound);
        }
    };
    (@subscribe $field:tt) => {
        async fn subscribe(&self, topic: &narrows::Topic) -> Result<(), narrows::LayerError> {
            self.$field.subscribe(topic).await
        }
    };
    (@unsubscribe $field:tt) => {
        async fn unsubscribe(&self, topic: &narrows::Topic) -> Result<(), narrows::LayerError> {
            self.$field.unsubscribe(topic).await
        }
    };
    (@publish $field:tt) => {
        async fn publish(&self, topic: &narrows::Topic, payload: bytes::Bytes) -> Result<(), narrows::LayerError> {
            self.$field.publish(topic, payload).await
        }
    };
    (@new_channel $field:tt) => {
        fn new_channel(&self) -> String {
            self.$field.new_channel()
        }
    };
}

pub(crate) use as_within;
