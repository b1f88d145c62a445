use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::process::Process;
use super::{Consumer, Pending, bytes, bytes_of, call};

/// What stands in `CHANNEL_LAYERS` for one layer.
#[derive(Clone, Debug)]
pub struct LayerOptions {
    pub(crate) kind: &'static str,
    pub(crate) config: Map<String, Value>,
}

impl LayerOptions {
    /// `channels_redis.core.RedisChannelLayer` on these hosts, in any form that it takes: a URL, or
    /// `json!({"address": url, "ssl_ca_certs": path})` and so on.
    #[must_use]
    pub fn core<T: Into<Value>>(hosts: impl IntoIterator<Item = T>) -> Self {
        Self::new("core", hosts.into_iter().map(Into::into).collect())
    }

    /// `channels_redis.pubsub.RedisPubSubChannelLayer` on these hosts.
    #[must_use]
    pub fn pubsub<T: Into<Value>>(hosts: impl IntoIterator<Item = T>) -> Self {
        Self::new("pubsub", hosts.into_iter().map(Into::into).collect())
    }

    /// What all its keys begin with; `asgi` otherwise.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        self.set("prefix", prefix)
    }

    /// `msgpack`, or `json`.
    #[must_use]
    pub fn serializer_format(self, format: &str) -> Self {
        self.set("serializer_format", format)
    }

    /// Encrypt with the first of these keys, decrypt with any.
    #[must_use]
    pub fn symmetric_encryption_keys(self, keys: &[&str]) -> Self {
        self.set("symmetric_encryption_keys", keys)
    }

    /// How many messages a channel holds; 100 otherwise.
    #[must_use]
    pub fn capacity(self, messages: u32) -> Self {
        self.set("capacity", messages)
    }

    /// The same for channels by pattern, the first that fits: shell patterns, or regular expressions after `re:`.
    #[must_use]
    pub fn channel_capacity(self, capacities: &[(&str, u32)]) -> Self {
        let pairs: Vec<Value> = capacities.iter().map(|pair| json!(pair)).collect();
        self.set("channel_capacity", pairs)
    }

    /// How long a message is kept; 60 s otherwise.
    #[must_use]
    pub fn expiry(self, seconds: u32) -> Self {
        self.set("expiry", seconds)
    }

    /// How long a channel is a member of a group; a day otherwise.
    #[must_use]
    pub fn group_expiry(self, seconds: u32) -> Self {
        self.set("group_expiry", seconds)
    }

    /// How many random bytes come before a message of the core layer; 12 otherwise.
    #[must_use]
    pub fn random_prefix_length(self, bytes: u32) -> Self {
        self.set("random_prefix_length", bytes)
    }

    /// Any other argument of the layer's constructor.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    fn new(kind: &'static str, hosts: Vec<Value>) -> Self {
        Self { kind, config: Map::new() }.set("hosts", hosts)
    }
}

/// How many messages went out, and how many found a full channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Taken by the layer.
    pub sent: u64,
    /// Refused with `ChannelFull`.
    pub full: u64,
}

/// A channel layer in Python. Each has its own `client_prefix`, so two of them are like two processes.
///
/// Messages are JSON values; bytes in them are as [`bytes`] makes them.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) process: Arc<Process>,
    pub(crate) name: String,
}

impl Layer {
    /// `new_channel()`.
    pub fn new_channel(&self) -> Pending<String> {
        self.call("new_channel", json!({}), text)
    }

    /// `new_channel(prefix)`.
    pub fn new_channel_with_prefix(&self, prefix: &str) -> Pending<String> {
        self.call("new_channel", json!({"prefix": prefix}), text)
    }

    /// `send(channel, message)`.
    pub fn send(&self, channel: &str, message: Value) -> Pending<()> {
        self.call("send", json!({"channel": channel, "message": message}), drop)
    }

    /// Sends the message so often, numbered from 0 by its key `n`.
    pub fn send_many(&self, channel: &str, message: Value, count: usize) -> Pending<Sent> {
        self.send_numbered(json!({"channel": channel, "message": message}), count)
    }

    /// `receive(channel)`, or `None` when no message comes within this time.
    ///
    /// Python's receive is not cancelled then but goes on for the next call on the channel, as it does in a consumer;
    /// [`stop_receiving`](Self::stop_receiving) ends it.
    pub fn receive(&self, channel: &str, within: Duration) -> Pending<Option<Value>> {
        let arguments = json!({"channel": channel, "timeout": within.as_secs_f64()});
        self.call_within("receive", arguments, within, optional)
    }

    /// Receives so many messages, or fewer once none has come for so long.
    pub fn receive_many(&self, channel: &str, count: usize, quiet: Duration) -> Pending<Vec<Value>> {
        let arguments = json!({"channel": channel, "count": count, "quiet": quiet.as_secs_f64()});
        self.call_within("receive_many", arguments, quiet + for_each(count), list)
    }

    /// Cancels the receive that waits on this channel, if one does. A pubsub layer unsubscribes by it.
    pub fn stop_receiving(&self, channel: &str) -> Pending<()> {
        self.call("stop_receiving", json!({"channel": channel}), drop)
    }

    /// `group_add(group, channel)`.
    pub fn group_add(&self, group: &str, channel: &str) -> Pending<()> {
        self.call("group_add", json!({"group": group, "channel": channel}), drop)
    }

    /// `group_discard(group, channel)`.
    pub fn group_discard(&self, group: &str, channel: &str) -> Pending<()> {
        self.call("group_discard", json!({"group": group, "channel": channel}), drop)
    }

    /// `group_send(group, message)`.
    pub fn group_send(&self, group: &str, message: Value) -> Pending<()> {
        self.call("group_send", json!({"group": group, "message": message}), drop)
    }

    /// Sends the message to the group so often, numbered from 0 by its key `n`.
    pub fn group_send_many(&self, group: &str, message: Value, count: usize) -> Pending<Sent> {
        self.send_numbered(json!({"group": group, "message": message}), count)
    }

    /// `flush()`.
    pub fn flush(&self) -> Pending<()> {
        self.call("flush", json!({}), drop)
    }

    /// The message as it goes over the wire.
    pub fn encode(&self, message: Value) -> Pending<Vec<u8>> {
        self.call("encode", json!({"message": message}), |value| {
            bytes_of(&value).expect("the wire has bytes")
        })
    }

    /// A message of the wire.
    pub fn decode(&self, data: &[u8]) -> Pending<Value> {
        self.call("decode", json!({"data": bytes(data)}), |value| value)
    }

    /// Runs an `AsyncWebsocketConsumer` with `groups`, and handlers for these types; done when it is in its groups.
    pub fn consumer(&self, groups: &[&str], handles: &[&str]) -> Pending<Consumer> {
        self.run("consumer", json!({"groups": groups, "handles": handles}))
    }

    /// Does what `manage.py runworker` does for these named channels, with handlers for these types.
    pub fn worker(&self, channels: &[&str], handles: &[&str]) -> Pending<Consumer> {
        self.run("worker", json!({"channels": channels, "handles": handles}))
    }

    /// Posts to a view that does `async_to_sync(get_channel_layer().group_send)(group, message)`.
    pub fn view_group_send(&self, group: &str, message: Value) -> Pending<()> {
        self.call("view", json!({"group": group, "message": message}), drop)
    }

    /// Posts to a view that does `async_to_sync(get_channel_layer().send)(channel, message)`.
    pub fn view_send(&self, channel: &str, message: Value) -> Pending<()> {
        self.call("view", json!({"channel": channel, "message": message}), drop)
    }

    fn send_numbered(&self, mut arguments: Value, count: usize) -> Pending<Sent> {
        arguments["count"] = count.into();
        self.call_within("send_many", arguments, for_each(count), |value| Sent {
            sent: value["sent"].as_u64().expect("send_many counts"),
            full: value["full"].as_u64().expect("send_many counts"),
        })
    }

    fn run(&self, what: &str, arguments: Value) -> Pending<Consumer> {
        let process = Arc::clone(&self.process);
        self.call(what, arguments, move |value| Consumer {
            process,
            name: value["name"].as_str().expect("it has a name").to_owned(),
            channel: value["channel"].as_str().map(str::to_owned),
        })
    }

    fn call<T>(
        &self,
        name: &str,
        arguments: Value,
        read: impl FnOnce(Value) -> T + Send + 'static,
    ) -> Pending<T> {
        self.call_within(name, arguments, Duration::ZERO, read)
    }

    fn call_within<T>(
        &self,
        name: &str,
        mut arguments: Value,
        within: Duration,
        read: impl FnOnce(Value) -> T + Send + 'static,
    ) -> Pending<T> {
        arguments["layer"] = self.name.as_str().into();
        call(&self.process, name, arguments, within, read)
    }
}

/// What Python allows, on top, for each of many messages.
pub(crate) fn for_each(count: usize) -> Duration {
    Duration::from_millis(10) * u32::try_from(count).unwrap_or(u32::MAX)
}

pub(crate) fn optional(value: Value) -> Option<Value> {
    Some(value).filter(|value| !value.is_null())
}

pub(crate) fn list(value: Value) -> Vec<Value> {
    if let Value::Array(items) = value { items } else { panic!("a list, not {value}") }
}

fn text(value: Value) -> String {
    if let Value::String(text) = value { text } else { panic!("a name, not {value}") }
}
