//! The site as several nodes on one Redis.

use std::time::Duration;

use chat::{Announce, Bot};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use rig::Redis;
use serde_json::json;

use crate::person::Person;
use crate::site::Site;

async fn node(redis: &Redis, kind: Kind, bot: Bot) -> Site {
    let options = RedisOptions::new(redis.url().parse().unwrap());
    let layer = RedisLayer::new(kind, options).unwrap();
    Site::start_with("127.0.0.1:0", Announce::Everyone, bot, layer).await
}

async fn three_nodes_are_one_site(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (one, two, three) = tokio::join!(
        node(&redis, kind, Bot::Here),
        node(&redis, kind, Bot::Here),
        node(&redis, kind, Bot::Here)
    );
    let mut ada = Person::enter(&one, "lobby", "Ada").await;
    let mut ben = Person::enter(&two, "lobby", "Ben").await;
    assert_eq!(ada.next().await["name"], "Ben");
    let mut eve = Person::enter(&three, "elsewhere", "Eve").await;
    ada.send(json!({"message": "hello Ben"})).await;
    for person in [&mut ada, &mut ben] {
        assert_eq!(person.next().await["message"], "hello Ben");
    }
    ben.send(json!({"type": "direct", "to": "Eve", "message": "psst"})).await;
    for person in [&mut ben, &mut eve] {
        assert_eq!(person.next().await["message"], "psst");
    }
    eve.send(json!({"type": "announce", "message": "tea is ready"})).await;
    for person in [&mut ada, &mut ben, &mut eve] {
        assert_eq!(person.next().await["message"], "tea is ready");
    }
    // Each node runs a bot, and one of them answers: what comes next is the next question.
    for question in ["@bot help", "@bot time"] {
        ada.send(json!({"message": question})).await;
        for person in [&mut ada, &mut ben] {
            assert_eq!(person.next().await["message"], question);
            assert_eq!(person.next().await["from"], "bot");
        }
    }
}

#[tokio::test]
async fn three_nodes_on_the_pubsub_layer_are_one_site() {
    three_nodes_are_one_site(Kind::PubSub).await;
}

#[tokio::test]
async fn three_nodes_on_the_core_layer_are_one_site() {
    three_nodes_are_one_site(Kind::Core).await;
}

#[tokio::test]
async fn while_redis_is_away_sockets_stay_and_their_clients_are_told() {
    let Some(redis) = Redis::start() else { return };
    let site = node(&redis, Kind::PubSub, Bot::Off).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let mut line = Person::open(&site, "/group/7/").await;
    redis.kill();
    ada.send(json!({"message": "is anybody there?"})).await;
    assert_eq!(ada.next().await["code"], "not_sent");
    line.say("hello").await;
    assert!(line.text().await.starts_with("server: the message could not be sent"));
    redis.restart();
    // Until the links are back it is told so, or nobody is listening yet; then it goes through, to a socket that was
    // there all the time.
    let mut heard = false;
    while !heard {
        ada.send(json!({"message": "and now?"})).await;
        let answer = tokio::time::timeout(Duration::from_millis(500), ada.next()).await;
        heard = answer.is_ok_and(|answer| answer["message"] == "and now?");
    }
}
