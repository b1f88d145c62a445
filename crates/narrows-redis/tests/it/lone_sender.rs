//! A program without a server, such as a job, sends to those who have one.

use narrows::{Channel, Channels, Group};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use serde_json::{Value, json};

use crate::node::Node;
use crate::site::{PATIENCE, Setup, Site, channel};

#[test]
fn a_program_without_a_server_reaches_groups_channels_and_users() {
    for kind in [Kind::PubSub, Kind::Core] {
        let Some(site) = Site::start(Setup { kind, hosts: 3, ..Setup::PUBSUB }) else { return };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (node, django) = (site.node(), runtime.block_on(site.django()));
        let group = Group::<Value>::new("news").unwrap();
        let user = Group::<Value>::inbox("ada@example.org");
        let (own, in_python) = runtime.block_on(async {
            for group in [&group, &user] {
                node.subscribe(&group.topic()).await;
            }
            (node.own_channel().await, site.channel_of(&django).await)
        });
        let to = [Channel::new(own.name()).unwrap(), Channel::new(&in_python).unwrap()];

        program(kind, site.options(), &[group.clone(), user.clone()], &to);

        runtime.block_on(async {
            for topic in [group.topic(), user.topic(), own] {
                expect(&node, &topic).await;
            }
            let received = django.receive(&in_python, PATIENCE).await.unwrap();
            assert_eq!(received, Some(json!({"type": "notice", "to": channel(&in_python).name()})));
        });
    }
}

/// All of the program: its end is the end of its runtime and of its layer.
#[tokio::main(flavor = "current_thread")]
async fn program(kind: Kind, options: RedisOptions, groups: &[Group<Value>], to: &[Channel<Value>]) {
    let channels = Channels::with_layer(RedisLayer::new(kind, options).unwrap());
    for group in groups {
        channels.broadcast(group, &json!({"type": "notice", "to": group.name()})).await.unwrap();
    }
    for channel in to {
        channels.send(channel, &json!({"type": "notice", "to": channel.name()})).await.unwrap();
    }
}

async fn expect(node: &Node, topic: &narrows_core::Topic) {
    assert_eq!(node.messages(topic, 1).await, [json!({"type": "notice", "to": topic.name()})]);
}
