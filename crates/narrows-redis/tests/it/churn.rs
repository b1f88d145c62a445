//! Nothing is lost while receivers come and go: where channels_redis loses a tenth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use narrows_core::{Skipped, Topic};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::groups::sorted;
use crate::named::take;
use crate::node::Node;
use crate::site::{PATIENCE, Setup, Site, channel, group};

const MESSAGES: usize = 3000;
const TASKS: usize = 4;

/// Between two rounds: without, they would leave the sender no processor.
const PACE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy)]
enum Sender {
    Python,
    Node,
}

macro_rules! churns {
    ($($name:ident: $setup:ident $sender:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                a_steady_receiver_gets_all(Setup::$setup, Sender::$sender).await;
            }
        )*
    };
}

churns! {
    what_python_sends_to_a_group_on_pubsub_arrives: PUBSUB Python;
    what_a_node_sends_to_a_group_on_pubsub_arrives: PUBSUB Node;
    what_python_sends_to_a_group_on_core_arrives: CORE Python;
    what_a_node_sends_to_a_group_on_core_arrives: CORE Node;
}

async fn a_steady_receiver_gets_all(setup: Setup, sender: Sender) {
    let Some(site) = Site::start(setup) else { return };
    let (room, node) = (group("room"), Arc::new(site.node()));
    node.subscribe(&room).await;
    let ended = Arc::new(AtomicBool::new(false));
    let mut tasks: Vec<_> = (0..TASKS).map(|task| come_and_go(&node, task, &ended)).collect();
    tasks.push(join_and_leave(site.node(), &room, &ended));
    match sender {
        Sender::Python => {
            let sent = site.django().await.group_send_many(room.name(), json!({"type": "n"}), MESSAGES).await;
            assert_eq!(sent.unwrap().sent, MESSAGES as u64);
        }
        Sender::Node => {
            let sender = site.node();
            for n in 0..MESSAGES {
                sender.publish(&room, &json!({"type": "n", "n": n})).await;
            }
        }
    }
    let messages = node.messages(&room, MESSAGES).await;
    ended.store(true, Ordering::SeqCst);
    let mut rounds = 0;
    for task in tasks {
        let of_this = task.await.unwrap();
        assert!(of_this > 0, "a task did nothing beside");
        rounds += of_this;
    }
    assert!(
        messages.iter().map(|message| message["n"].as_u64().unwrap()).eq(0..MESSAGES as u64),
        "{rounds} rounds"
    );
    assert_eq!(node.seen().gaps(), []);
    assert!(Skipped::ALL.iter().all(|why| node.skipped(*why) == 0), "{:?}", node.seen());
}

/// Opens and closes what a connection opens, on the layer that has the steady receiver; gives how often.
fn come_and_go(node: &Arc<Node>, task: usize, ended: &Arc<AtomicBool>) -> JoinHandle<usize> {
    let (node, ended) = (node.clone(), ended.clone());
    tokio::spawn(async move {
        let (mine, jobs) = (group(&format!("of-task-{task}")), channel("jobs"));
        let (mut rounds, mut pace) = (0, pace());
        while !ended.load(Ordering::SeqCst) {
            pace.tick().await;
            node.subscribe(&mine).await;
            let own = node.own_channel().await;
            for topic in [&mine, &own] {
                // In half of the rounds it is gone before the message comes.
                node.publish(topic, &json!({"type": "round", "n": rounds})).await;
            }
            if node.layer_has_queues() {
                let mut queue = node.open(&jobs);
                let taken = timeout(Duration::from_millis(rounds as u64 % 3), queue.take()).await;
                assert!(taken.is_err(), "nobody has sent any");
            }
            if rounds % 2 == 0 {
                node.messages(&own, 1).await;
            }
            node.unsubscribe(&own).await;
            node.unsubscribe(&mine).await;
            rounds += 1;
        }
        rounds
    })
}

fn pace() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// Joins and leaves the very group, on a layer beside.
fn join_and_leave(node: Node, room: &Topic, ended: &Arc<AtomicBool>) -> JoinHandle<usize> {
    let (room, ended) = (room.clone(), ended.clone());
    tokio::spawn(async move {
        let (mut rounds, mut pace) = (0, pace());
        while !ended.load(Ordering::SeqCst) {
            pace.tick().await;
            node.subscribe(&room).await;
            node.unsubscribe(&room).await;
            rounds += 1;
        }
        rounds
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_is_taken_once_while_takers_give_up_and_end() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (jobs, node, django) = (channel("jobs"), Arc::new(site.node()), site.django().await);
    let ended = Arc::new(AtomicBool::new(false));
    let takers: Vec<_> = (0..TASKS as u64)
        .map(|task| {
            let (node, jobs, ended) = (node.clone(), jobs.clone(), ended.clone());
            tokio::spawn(async move {
                let (mut taken, mut queue) = (Vec::new(), node.open(&jobs));
                for round in task.. {
                    if ended.load(Ordering::SeqCst) {
                        break;
                    }
                    match timeout(Duration::from_micros(round % 7 * 300), queue.take()).await {
                        Ok(payload) => taken.push(node.read(&payload.unwrap())),
                        Err(_) if round % 5 == 0 => queue = node.open(&jobs),
                        Err(_) => {}
                    }
                }
                queue.close().await;
                taken
            })
        })
        .collect();
    let sent = 300;
    let python = django.send_many(jobs.name(), json!({"type": "n", "from": "python"}), sent);
    for n in 0..sent {
        node.publish(&jobs, &json!({"type": "n", "from": "node", "n": n})).await;
    }
    python.await.unwrap();
    // The others are to leave some, and what they had in hand when they ended.
    ended.store(true, Ordering::SeqCst);
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.unwrap());
    }
    let (by_others, mut queue) = (taken.len(), node.open(&jobs));
    while taken.len() < 2 * sent {
        match timeout(PATIENCE, queue.take()).await {
            Ok(payload) => taken.push(node.read(&payload.unwrap())),
            Err(_) => panic!("{} of {} were taken, {by_others} by those who left", taken.len(), 2 * sent),
        }
    }
    let all = ["python", "node"]
        .into_iter()
        .flat_map(|from| (0..sent).map(move |n| json!({"type": "n", "from": from, "n": n})));
    assert_eq!(sorted(taken), sorted(all.collect()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taker_that_no_longer_asks_keeps_nothing_from_the_others() {
    let Some(site) = Site::start(Setup { hosts: 3, ..Setup::CORE }) else { return };
    let (jobs, node) = (channel("jobs"), site.node());
    let mut idle = node.open(&jobs);
    {
        let asking = idle.take();
        let blocked =
            || site.servers.iter().all(|server| server.cli(&["CLIENT", "LIST"]).contains("cmd=bzpopmin"));
        tokio::select! {
            _ = asking => panic!("nothing was sent yet"),
            () = async { while !blocked() { tokio::task::yield_now().await } } => {}
        }
    }
    let mut queue = node.open(&jobs);
    for n in 0..6 {
        node.publish(&jobs, &json!({"type": "n", "n": n})).await;
    }
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.push(take(&node, &mut queue).await["n"].as_u64().unwrap());
    }
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..6));
}
