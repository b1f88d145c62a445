//! The site as several nodes on one Redis.

use std::process::Command;
use std::time::Duration;

use narrows_redis::{Kind, RedisLayer, RedisOptions};
use programs::Child;
use rig::Redis;
use serde_json::json;

use crate::person::Person;
use crate::site::{Announce, Bot, Doors, Home, Site};

async fn node(home: &Home, redis: &Redis, kind: Kind, bot: Bot) -> Site {
    let options = RedisOptions::new(redis.url().parse().unwrap());
    let layer = RedisLayer::new(kind, options).unwrap();
    Site::serve("127.0.0.1:0", Announce::Everyone, bot, layer, home, Doors::Optional).await
}

async fn three_nodes_are_one_site(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let home = Home::new();
    let (one, two, three) = tokio::join!(
        node(&home, &redis, kind, Bot::Here),
        node(&home, &redis, kind, Bot::Here),
        node(&home, &redis, kind, Bot::Here)
    );
    let mut ada = Person::enter(&one, "lobby", "Ada").await;
    let mut ben = Person::enter(&two, "lobby", "Ben").await;
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
async fn who_was_on_a_node_that_was_killed_leaves_when_its_lease_is_over() {
    let Some(redis) = Redis::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let start = || {
        let (layer, folder) = (redis.url(), home.path().to_str().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--bind", "127.0.0.1:0", "--accounts", "off", "--data-dir", folder, "--layer", &layer]);
        let mut program = Child::start(command.args(["--presence-lease", "1s"]));
        let address = program.line("chat is at");
        (program, address.trim_start_matches("http://").trim_end_matches('/').to_owned())
    };
    let ((_one, here), (two, there)) = (start(), start());
    let mut ada = Person::open_page(&here, "/ws/chat/lobby/?name=Ada").await;
    let mut ben = Person::open_page(&there, "/ws/chat/lobby/?name=Ben").await;
    let key = ben.until(|frame| frame["type"] == "welcome").await["key"].as_str().unwrap().to_owned();
    ada.until(|frame| !frame["joins"][&key].is_null()).await;
    two.signal("KILL");
    let diff = ada.until(|frame| frame["type"] == "presence" && !frame["leaves"].is_null()).await;
    assert_eq!((&diff["leaves"], &diff["count"]), (&json!([key]), &json!(1)));
}

#[tokio::test]
async fn while_redis_is_away_sockets_stay_and_their_clients_are_told() {
    let Some(redis) = Redis::start() else { return };
    let site = node(&Home::new(), &redis, Kind::PubSub, Bot::Off).await;
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
