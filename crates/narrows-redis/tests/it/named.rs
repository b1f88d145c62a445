use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narrows_core::{Queue, Topic};
use narrows_redis::Kind;
use rig::Layer;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::groups::sorted;
use crate::node::Node;
use crate::site::{PATIENCE, Site, channel};

pub(crate) async fn a_named_channel_is_taken_from_on_both_sides(site: &Site) {
    match site.setup.kind {
        Kind::PubSub => each_who_listens_gets_each(site).await,
        Kind::Core => {
            python_works_for_a_node(site).await;
            a_node_works_for_python(site).await;
            all_share_the_work(site).await;
            a_node_that_subscribes_takes_part(site).await;
        }
    }
}

async fn each_who_listens_gets_each(site: &Site) {
    let jobs = channel("jobs-of-all");
    let (nodes, django) = ([site.node(), site.node()], site.django().await);
    for node in &nodes {
        node.subscribe(&jobs).await;
    }
    let first = django.receive(jobs.name(), PATIENCE);
    site.wait_for_subscribers(&jobs, 3);
    let sent = send_from_both(&nodes[0], &django, &jobs, 5).await;
    for node in &nodes {
        assert_eq!(sorted(node.messages(&jobs, sent.len()).await), sorted(sent.clone()));
    }
    let mut received = django.receive_many(jobs.name(), sent.len() - 1, PATIENCE).await.unwrap();
    received.push(first.await.unwrap().unwrap());
    assert_eq!(sorted(received), sorted(sent));
}

async fn python_works_for_a_node(site: &Site) {
    let (jobs, node, django) = (channel("jobs-for-python"), site.node(), site.django().await);
    let sent: Vec<Value> = (0..6).map(job).collect();
    for message in &sent {
        node.publish(&jobs, message).await;
    }
    let received = django.receive_many(jobs.name(), sent.len(), PATIENCE).await.unwrap();
    assert_eq!(sorted(received), sorted(sent));
}

async fn a_node_works_for_python(site: &Site) {
    let (jobs, node, django) = (channel("jobs-for-a-node"), site.node(), site.django().await);
    // Before and after somebody is there for them.
    let mut queue = None;
    for n in 0..20 {
        django.send(jobs.name(), job(n)).await.unwrap();
        if n == 9 {
            queue = Some(node.open(&jobs));
        }
    }
    let mut queue = queue.expect("it was opened half-way");
    let mut taken = Vec::new();
    while taken.len() < 20 {
        taken.push(take(&node, &mut queue).await);
    }
    assert_eq!(sorted(taken), sorted((0..20).map(job).collect()));
}

async fn all_share_the_work(site: &Site) {
    let jobs = channel("jobs-for-all");
    let (nodes, django) = ([site.node(), site.node()], site.django().await);
    let (taken, left) = (Mutex::new(Vec::new()), AtomicUsize::new(40));
    let done = |message: Value| {
        taken.lock().unwrap().push(message);
        left.fetch_sub(1, Ordering::SeqCst);
    };
    let at_work = || left.load(Ordering::SeqCst) > 0;
    let work = async |node: &Node| {
        let mut queue = node.open(&jobs);
        while at_work() {
            if let Ok(payload) = timeout(Duration::from_millis(50), queue.take()).await {
                done(node.read(&payload.unwrap()));
            }
        }
    };
    let python = async {
        // One process only: with two, channels_redis may give a message to both.
        while at_work() {
            if let Some(message) = django.receive(jobs.name(), Duration::from_millis(50)).await.unwrap() {
                done(message);
            }
        }
    };
    let sender = site.django().await;
    let all = async {
        tokio::join!(work(&nodes[0]), work(&nodes[1]), python, send_from_both(&nodes[0], &sender, &jobs, 20))
    };
    let ((), (), (), sent) = timeout(PATIENCE, all).await.unwrap_or_else(|_| {
        panic!("{left:?} of the messages are left; taken: {taken:?}");
    });
    assert_eq!(sorted(taken.into_inner().unwrap()), sorted(sent));
}

async fn a_node_that_subscribes_takes_part(site: &Site) {
    let (jobs, node, django) = (channel("jobs-for-a-connection"), site.node(), site.django().await);
    node.subscribe(&jobs).await;
    let sent = send_from_both(&node, &django, &jobs, 6).await;
    assert_eq!(sorted(node.messages(&jobs, sent.len()).await), sorted(sent));
}

pub(crate) async fn take(node: &Node, queue: &mut Queue) -> Value {
    let payload = timeout(PATIENCE, queue.take()).await.expect("a message comes").unwrap();
    node.read(&payload)
}

async fn send_from_both(node: &Node, django: &Layer, jobs: &Topic, each: usize) -> Vec<Value> {
    let sent: Vec<Value> = (0..2 * each).map(job).collect();
    for pair in sent.chunks(2) {
        node.publish(jobs, &pair[0]).await;
        django.send(jobs.name(), pair[1].clone()).await.unwrap();
    }
    sent
}

fn job(n: usize) -> Value {
    json!({"type": "job", "n": n})
}
