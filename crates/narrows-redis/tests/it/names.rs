use narrows_redis::Kind;
use serde_json::json;

use crate::named::take;
use crate::site::{PATIENCE, Site, channel, group};

const LEGAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

pub(crate) async fn the_longest_names_of_all_legal_characters_are_understood(site: &Site) {
    let name: String = LEGAL.chars().cycle().take(99).collect();
    let (group, jobs, message) = (group(&name), channel(&name), json!({"type": "named", "name": name}));
    let (node, django) = (site.node(), site.django().await);
    node.subscribe(&group).await;
    let member = site.member(&django, &group, 2).await;
    node.publish(&group, &message).await;
    assert_eq!(django.receive(&member, PATIENCE).await.unwrap(), Some(message.clone()));
    django.group_send(&name, message.clone()).await.unwrap();
    assert_eq!(node.messages(&group, 2).await, [message.clone(), message.clone()]);

    match site.setup.kind {
        Kind::PubSub => {
            node.subscribe(&jobs).await;
            django.send(&name, message.clone()).await.unwrap();
            assert_eq!(node.messages(&jobs, 1).await, [message]);
        }
        Kind::Core => {
            django.send(&name, message.clone()).await.unwrap();
            assert_eq!(take(&node, &mut node.open(&jobs)).await, message);
        }
    }
}
