use serde_json::{Value, json};

use crate::site::{PATIENCE, Site, group};

pub(crate) async fn each_member_on_both_sides_gets_what_any_side_sends(site: &Site) {
    let group = group("room-1");
    let (nodes, djangos) = ([site.node(), site.node()], [site.django().await, site.django().await]);
    for node in &nodes {
        node.subscribe(&group).await;
    }
    let mut members = Vec::new();
    for (django, processes) in djangos.iter().zip([3, 4]) {
        members.push((django, site.member(django, &group, processes).await));
        members.push((django, site.member(django, &group, processes).await));
    }
    let mut sent = Vec::new();
    for n in 0..3 {
        for (i, node) in nodes.iter().enumerate() {
            sent.push(json!({"type": "chat.message", "from": format!("node {i}"), "n": n}));
            node.publish(&group, &sent[sent.len() - 1]).await;
        }
        for (i, django) in djangos.iter().enumerate() {
            sent.push(json!({"type": "chat.message", "from": format!("django {i}"), "n": n}));
            django.group_send(group.name(), sent[sent.len() - 1].clone()).await.unwrap();
        }
    }
    for node in &nodes {
        assert_eq!(sorted(node.messages(&group, sent.len()).await), sorted(sent.clone()));
    }
    for (django, channel) in members {
        let received = django.receive_many(&channel, sent.len(), PATIENCE).await.unwrap();
        assert_eq!(sorted(received), sorted(sent.clone()));
        django.group_discard(group.name(), &channel).await.unwrap();
    }
    for node in &nodes {
        node.unsubscribe(&group).await;
        assert_eq!(node.messages(&group, sent.len()).await.len(), sent.len(), "none came twice");
    }
}

pub(crate) fn sorted(mut messages: Vec<Value>) -> Vec<Value> {
    messages.sort_by_key(Value::to_string);
    messages
}
