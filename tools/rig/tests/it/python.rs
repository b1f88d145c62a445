use std::collections::BTreeSet;
use std::time::Duration;

use rig::{LayerOptions, Python, PythonError, Redis, Sent, bytes};
use serde_json::{Value, json};

/// Long enough for what must come.
const SOON: Duration = Duration::from_secs(20);
/// For what must not come.
const QUIET: Duration = Duration::from_millis(100);

#[test]
fn core_and_pubsub_layers_talk_to_themselves() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    for layer in [python.core(&redis.url()), python.pubsub(&redis.url())] {
        let channels = [layer.new_channel().wait().unwrap(), layer.new_channel().wait().unwrap()];
        for channel in &channels {
            layer.group_add("room", channel).wait().unwrap();
        }
        let message =
            json!({"type": "chat.message", "text": "hi", "data": bytes(b"\0\xff"), "more": [1, 2.5, null]});
        layer.group_send("room", message.clone()).wait().unwrap();
        for channel in &channels {
            assert_eq!(layer.receive(channel, SOON).wait().unwrap().as_ref(), Some(&message));
        }
        layer.group_discard("room", &channels[0]).wait().unwrap();
        layer.group_send("room", json!({"type": "again"})).wait().unwrap();
        assert_eq!(layer.receive(&channels[1], SOON).wait().unwrap(), Some(json!({"type": "again"})));
        assert_eq!(layer.receive(&channels[0], QUIET).wait().unwrap(), None);
        layer.flush().wait().unwrap();
    }
}

#[test]
fn a_receive_waits_while_other_calls_are_made_and_outlives_its_time() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let channel = layer.new_channel().wait().unwrap();
    assert_eq!(layer.receive(&channel, QUIET).wait().unwrap(), None);
    let received = layer.receive(&channel, SOON);
    layer.send(&channel, json!({"type": "a"})).wait().unwrap();
    assert_eq!(received.wait().unwrap(), Some(json!({"type": "a"})));
}

#[test]
fn a_receive_that_is_stopped_unsubscribes() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.pubsub(&redis.url());
    assert_eq!(layer.receive("named", QUIET).wait().unwrap(), None);
    redis.wait_for_subscribers("named", 1);
    layer.stop_receiving("named").wait().unwrap();
    redis.wait_for_subscribers("named", 0);
    layer.send("named", json!({"type": "lost"})).wait().unwrap();
    assert_eq!(layer.receive("named", QUIET).wait().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_can_be_awaited() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let channel = layer.new_channel().await.unwrap();
    let (received, sent) =
        tokio::join!(layer.receive(&channel, SOON), layer.send(&channel, json!({"type": "a"})));
    sent.unwrap();
    assert_eq!(received.unwrap(), Some(json!({"type": "a"})));
}

#[test]
fn what_python_raises_comes_back_with_class_text_and_traceback() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let options =
        LayerOptions::core([redis.url()]).capacity(2).channel_capacity(&[("wide*", 3), ("re:n.r+ow", 1)]);
    let layer = python.layer(options).wait().unwrap();
    let message = json!({"type": "a"});
    let sent = |channel| layer.send_many(channel, message.clone(), 5).wait().unwrap();
    assert_eq!(sent("plain"), Sent { sent: 2, full: 3 });
    assert_eq!(sent("wide.one"), Sent { sent: 3, full: 2 });
    assert_eq!(sent("narrow"), Sent { sent: 1, full: 4 });
    let PythonError { class, .. } = layer.send("plain", message.clone()).wait().unwrap_err();
    assert_eq!(class, "ChannelFull");
    let error = layer.send("not a name", message).wait().unwrap_err();
    assert_eq!(error.class, "TypeError");
    assert!(error.to_string().contains("Traceback (most recent call last)"), "{error}");
    assert!(python.layer(LayerOptions::core([redis.url()]).set("nonsense", 1)).wait().is_err());
}

#[test]
fn many_messages_come_in_order() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.pubsub(&redis.url());
    let channel = layer.new_channel().wait().unwrap();
    layer.group_add("room", &channel).wait().unwrap();
    let received = layer.receive_many(&channel, 500, SOON);
    let sent = layer.group_send_many("room", json!({"type": "a"}), 500).wait().unwrap();
    assert_eq!(sent, Sent { sent: 500, full: 0 });
    let numbers: Vec<Value> = received.wait().unwrap().iter().map(|message| message["n"].clone()).collect();
    assert_eq!(numbers, (0..500).map(Value::from).collect::<Vec<_>>());
    assert_eq!(layer.receive_many(&channel, 1, QUIET).wait().unwrap(), Vec::<Value>::new());
}

#[test]
fn all_settings_of_a_layer_take_effect() {
    let (Some(redis), Some(python)) = (Redis::options().tls().start(), Python::start()) else { return };
    let host = json!({"address": redis.url(), "ssl_ca_certs": redis.ca_path()});
    let options =
        LayerOptions::core([host]).prefix("other").serializer_format("json").random_prefix_length(3);
    let layer = python.layer(options.clone().expiry(7).group_expiry(70)).wait().unwrap();
    layer.send("named", json!({"type": "a"})).wait().unwrap();
    layer.group_add("room", "named").wait().unwrap();
    let stored = redis.cli(&["ZRANGE", "othernamed", "0", "-1"]);
    assert_eq!(stored.get(stored.len() - 13..), Some(r#"{"type": "a"}"#), "{stored}");
    assert_eq!(layer.encode(json!({"type": "a"})).wait().unwrap().len(), 3 + 13);
    let expiry = |key: &str| redis.cli(&["TTL", key]).parse::<i64>().unwrap();
    assert!((1..=7).contains(&expiry("othernamed")) && (60..=70).contains(&expiry("other:group:room")));
    let (old, new) = (options.clone().symmetric_encryption_keys(&["old"]), options);
    let old = python.layer(old).wait().unwrap();
    let new = python.layer(new.symmetric_encryption_keys(&["new", "old"])).wait().unwrap();
    let secret = old.encode(json!({"type": "a"})).wait().unwrap();
    assert_eq!(new.decode(&secret).wait().unwrap(), json!({"type": "a"}));
    let newer = new.encode(json!({"type": "a"})).wait().unwrap();
    assert_eq!(old.decode(&newer).wait().unwrap_err().class, "InvalidToken");
}

#[test]
fn values_without_a_form_in_json_go_both_ways() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let message =
        json!({"type": "a", "inf": {"__float__": "-inf"}, "deep": [{"data": bytes(&[0, 128, 255])}]});
    let data = layer.encode(message.clone()).wait().unwrap();
    assert!(data.windows(5).any(|bytes| bytes == [0xc4, 3, 0, 128, 255]), "{data:?}");
    assert_eq!(layer.decode(&data).wait().unwrap(), message);
    let large = json!({"type": "a", "n": {"__int__": "18446744073709551616"}});
    assert_eq!(layer.encode(large).wait().unwrap_err().class, "OverflowError");
}

#[test]
fn a_consumer_reports_what_it_handles_and_leaves_its_groups_at_the_end() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    for layer in [python.core(&redis.url()), python.pubsub(&redis.url())] {
        let consumer = layer.consumer(&["room"], &["chat.message"]).wait().unwrap();
        layer.group_send("room", json!({"type": "chat.message", "n": 1})).wait().unwrap();
        layer.send(consumer.channel(), json!({"type": "chat.message", "n": 2})).wait().unwrap();
        let handled = consumer.handled_many(2, SOON).wait().unwrap();
        let mut numbers: Vec<i64> = handled.iter().filter_map(|message| message["n"].as_i64()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2]);
        assert_eq!(consumer.handled(QUIET).wait().unwrap(), None);
        consumer.stop().wait().unwrap();
        assert_eq!(redis.cli(&["EXISTS", "asgi:group:room"]), "0");
        redis.wait_for_subscribers("asgi__group__room", 0);
    }
}

#[test]
fn a_consumer_that_died_says_of_what() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let consumer = layer.consumer(&["room"], &["known"]).wait().unwrap();
    layer.group_send("room", json!({"type": "unknown"})).wait().unwrap();
    let error = consumer.handled(SOON).wait().unwrap_err();
    assert_eq!((&*error.class, &*error.text), ("ValueError", "No handler for message type unknown"));
}

#[test]
fn workers_share_a_named_channel() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layers = [python.core(&redis.url()), python.core(&redis.url())];
    let workers = layers.each_ref().map(|layer| layer.worker(&["thumbnails"], &["make"]).wait().unwrap());
    layers[0].send_many("thumbnails", json!({"type": "make"}), 20).wait().unwrap();
    // A set: what one worker has in hand, channels_redis gives to the other as well.
    let mut numbers = BTreeSet::new();
    while numbers.len() < 20 {
        for worker in &workers {
            let handled = worker.handled_many(20, QUIET).wait().unwrap();
            numbers.extend(handled.iter().filter_map(|message| message["n"].as_i64()));
        }
    }
    assert_eq!(numbers, (0..20).collect());
    for worker in workers {
        assert_eq!(worker.stop().wait(), Ok(()));
    }
}

#[test]
fn a_view_reaches_groups_and_named_channels() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let (consumer, worker) = (layer.consumer(&["room"], &["a"]), layer.worker(&["jobs"], &["b"]));
    let (consumer, worker) = (consumer.wait().unwrap(), worker.wait().unwrap());
    let message = json!({"type": "a", "data": bytes(b"\xfe")});
    layer.view_group_send("room", message.clone()).wait().unwrap();
    layer.view_send("jobs", json!({"type": "b"})).wait().unwrap();
    assert_eq!(consumer.handled(SOON).wait().unwrap(), Some(message));
    assert_eq!(worker.handled(SOON).wait().unwrap(), Some(json!({"type": "b"})));
}

#[test]
fn two_processes_talk_to_each_other() {
    let Some(redis) = Redis::start() else { return };
    let (Some(one), Some(other)) = (Python::start(), Python::start()) else { return };
    let (here, there) = (one.core(&redis.url()), other.core(&redis.url()));
    let channel = here.new_channel().wait().unwrap();
    there.group_add("room", &channel).wait().unwrap();
    there.group_send("room", json!({"type": "a"})).wait().unwrap();
    assert_eq!(here.receive(&channel, SOON).wait().unwrap(), Some(json!({"type": "a"})));
}

#[test]
fn a_redis_that_dies_is_an_exception_in_python() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let channel = layer.new_channel().wait().unwrap();
    let received = layer.receive(&channel, SOON);
    wait_until_someone_blocks(&redis);
    redis.kill();
    assert_eq!(received.wait().unwrap_err().class, "ConnectionError");
    redis.restart();
    let received = layer.receive(&channel, SOON);
    layer.send(&channel, json!({"type": "a"})).wait().unwrap();
    assert_eq!(received.wait().unwrap(), Some(json!({"type": "a"})));
}

#[test]
fn a_python_that_is_frozen_goes_on_and_one_that_is_killed_fails_its_calls() {
    let (Some(redis), Some(python)) = (Redis::start(), Python::start()) else { return };
    let layer = python.core(&redis.url());
    let channel = layer.new_channel().wait().unwrap();
    python.freeze();
    let sent = layer.send(&channel, json!({"type": "a"}));
    assert_eq!(redis.cli(&["DBSIZE"]), "0");
    python.thaw();
    sent.wait().unwrap();
    let waits = layer.receive("never", SOON);
    python.kill();
    assert_eq!(waits.wait().unwrap_err().class, "EOFError");
    assert_eq!(layer.new_channel().wait().unwrap_err().class, "EOFError");
}

fn wait_until_someone_blocks(redis: &Redis) {
    rig::wait_until("a receive that waits in Redis", || {
        redis.cli(&["INFO", "clients"]).contains("blocked_clients:1")
    });
}
