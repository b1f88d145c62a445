use serde_json::{Value, json};

use crate::site::{PATIENCE, Site, group};

const EACH: usize = 300;

pub(crate) async fn each_senders_messages_keep_their_order(site: &Site) {
    let group = group("ordered");
    let (node, sender) = (site.node(), site.node());
    let (django, python_sender) = (site.django().await, site.django().await);
    node.subscribe(&group).await;
    let member = site.member(&django, &group, 2).await;
    let python = python_sender.group_send_many(group.name(), json!({"type": "n", "from": "python"}), EACH);
    for n in 0..EACH {
        sender.publish(&group, &json!({"type": "n", "from": "node", "n": n})).await;
    }
    assert_eq!(python.await.unwrap().sent, EACH as u64);
    in_order(&node.messages(&group, 2 * EACH).await);
    in_order(&django.receive_many(&member, 2 * EACH, PATIENCE).await.unwrap());
}

#[track_caller]
fn in_order(messages: &[Value]) {
    for from in ["python", "node"] {
        let numbers =
            messages.iter().filter(|m| m["from"] == from).map(|m| m["n"].as_u64().unwrap() as usize);
        assert!(numbers.clone().eq(0..EACH), "from {from}: {:?}", numbers.collect::<Vec<_>>());
    }
}
