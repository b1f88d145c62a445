use serde_json::json;

use crate::site::{PATIENCE, Site, group};

pub(crate) async fn a_message_of_a_mebibyte_arrives(site: &Site) {
    let (group, node, django) = (group("large"), site.node(), site.django().await);
    node.subscribe(&group).await;
    let member = site.member(&django, &group, 2).await;
    // Not of one letter: each part of it is to be in its place.
    let text: String =
        (0..).flat_map(|n: u32| format!("{n} é ").chars().collect::<Vec<_>>()).take(1 << 20).collect();
    let message = json!({"type": "large", "text": text});
    node.publish(&group, &message).await;
    let received = django.receive(&member, PATIENCE).await.unwrap().unwrap();
    assert!(received == message, "Python got another text");
    django.group_send(group.name(), message.clone()).await.unwrap();
    let received = node.messages(&group, 2).await;
    assert!(received == [message.clone(), message], "the node got other texts");
}
