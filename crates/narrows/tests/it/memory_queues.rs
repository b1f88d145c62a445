//! Named channels of the in-memory layer: shared by those who take, seen by those who subscribe.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use narrows::layer::MemoryLayer;
use narrows::{Channel, ChannelLayer, Gap, Inbound, LayerError, Queue, Topic};
use narrows_core::Receive;

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Receive for Recorder {
    fn deliver(&self, _: &Topic, payload: Bytes) {
        self.0.lock().unwrap().push(payload[0]);
    }
    fn gap(&self, _: Option<&Topic>, _: Gap) {}
}

fn jobs() -> Topic {
    Channel::<()>::new("jobs").unwrap().topic()
}

fn open(layer: &MemoryLayer) -> Queue {
    layer.open(&jobs()).unwrap()
}

async fn publish(layer: &MemoryLayer, text: &str) -> Result<(), LayerError> {
    for byte in text.bytes() {
        layer.publish(&jobs(), vec![byte].into()).await?;
    }
    Ok(())
}

/// What is there at once.
fn taken(queue: &mut Queue) -> String {
    let mut text = String::new();
    while let Some(payload) = queue.take().now_or_never() {
        text.push(char::from(payload.unwrap()[0]));
    }
    text
}

#[tokio::test]
async fn each_message_goes_to_one_taker_whichever_node_it_is_on() {
    let layer = MemoryLayer::new();
    let (mut one, mut two) = (open(&layer), open(&layer.another_node()));
    publish(&layer, "abc").await.unwrap();
    assert_eq!(two.take().await.unwrap(), "a");
    assert_eq!((taken(&mut one), taken(&mut two)), ("bc".to_owned(), String::new()));
}

#[tokio::test]
async fn takers_who_wait_get_one_message_each() {
    let layer = MemoryLayer::new();
    let (mut one, mut two) = (open(&layer), open(&layer));
    let (mut first, mut second) = (Box::pin(one.take()), Box::pin(two.take()));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    publish(&layer, "ab").await.unwrap();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), ("a".into(), "b".into()));
}

#[tokio::test]
async fn a_call_that_is_dropped_after_its_message_came_leaves_it_to_others() {
    let layer = MemoryLayer::new();
    let (mut one, mut two) = (open(&layer), open(&layer));
    let mut waiting = Box::pin(one.take());
    assert!(waiting.as_mut().now_or_never().is_none());
    publish(&layer, "a").await.unwrap();
    drop(waiting);
    assert_eq!(two.take().await.unwrap(), "a");
}

#[tokio::test]
async fn a_full_channel_refuses_the_sender_and_reaches_nobody() {
    let layer = MemoryLayer::new().capacity(2);
    let heard = Recorder::default();
    layer.start(Inbound::new(heard.clone()));
    layer.subscribe(&jobs()).await.unwrap();
    let mut queue = open(&layer);
    let refused = publish(&layer.another_node(), "abc").await;
    assert!(matches!(refused, Err(LayerError::ChannelFull { channel }) if channel == "jobs"));
    assert_eq!((taken(&mut queue), heard.0.lock().unwrap().as_slice()), ("ab".to_owned(), &b"ab"[..]));
    publish(&layer, "d").await.unwrap();
    assert_eq!(taken(&mut queue), "d");
}

#[tokio::test]
async fn what_was_left_by_the_last_taker_is_there_for_the_next_and_what_came_between_is_gone() {
    let layer = MemoryLayer::new();
    let queue = open(&layer);
    publish(&layer, "ab").await.unwrap();
    queue.close().await;
    publish(&layer, "c").await.unwrap();
    let mut queue = open(&layer);
    publish(&layer, "d").await.unwrap();
    assert_eq!(taken(&mut queue), "abd");
    drop(queue);
    publish(&layer, "e").await.unwrap();
    assert_eq!(taken(&mut open(&layer)), "");
}
