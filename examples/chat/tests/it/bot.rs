use narrows::layer::MemoryLayer;
use narrows::testing::FaultyLayer;
use narrows::{Channel, Channels};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::person::Person;
use crate::site::{Announce, Bot, Doors, Home, Site, project};

const ANY_PORT: &str = "127.0.0.1:0";

async fn site_without_bot(home: &Home, layer: &MemoryLayer) -> Site {
    let (everyone, layer) = (Announce::Everyone, layer.another_node());
    Site::serve(ANY_PORT, everyone, Bot::Off, layer, home, Doors::Optional).await
}

/// What one says is what is heard next, and behind it the bot's answer.
async fn asks(person: &mut Person, text: &str) -> String {
    person.send(json!({"message": text})).await;
    assert_eq!(person.next().await["message"], text);
    hears_the_bot(person).await
}

async fn hears_the_bot(person: &mut Person) -> String {
    let answer = person.next().await;
    assert_eq!((&answer["type"], &answer["from"]), (&json!("message"), &json!("bot")), "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_bot_answers_for_all_in_the_room_and_in_no_other() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "%E5%A4%A7%E5%8E%85", "Ada").await;
    let mut ben = Person::enter(&site, "%E5%A4%A7%E5%8E%85", "Ben").await;
    let mut eve = Person::enter(&site, "elsewhere", "Eve").await;
    let help = asks(&mut ada, "@bot help").await;
    assert!(help.contains("@bot roll 2d6") && help.contains("@bot time"), "{help}");
    assert_eq!(ben.next().await["message"], "@bot help");
    assert_eq!(hears_the_bot(&mut ben).await, help);
    eve.hears_only_itself().await;
}

#[tokio::test]
async fn it_tells_the_time_rolls_dice_and_is_friendly_about_the_rest() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let time = asks(&mut ada, "@bot time").await;
    assert!(time.starts_with("It is 20") && time.ends_with(" UTC."), "{time}");
    let rolled = asks(&mut ada, "@Bot, roll 2d6").await;
    let (each, sum) = rolled.strip_prefix("2d6: ").unwrap().split_once(" = ").unwrap();
    let dice: Vec<u32> = each.split(" + ").map(|n| n.parse().unwrap()).collect();
    assert!(dice.len() == 2 && dice.iter().all(|n| (1..=6).contains(n)), "{rolled}");
    assert_eq!(dice.iter().sum::<u32>().to_string(), sum);
    assert!(asks(&mut ada, "@bot roll 1000d6").await.contains("1 to 20 dice"));
    assert!(asks(&mut ada, "@bot sing").await.contains("Try @bot help"));
    assert!(asks(&mut ada, "@bot").await.starts_with("Hello, Ada!"));
}

#[tokio::test]
async fn it_hears_neither_what_is_not_for_it_nor_itself() {
    let site = Site::start().await;
    let mut bot = Person::enter(&site, "lobby", "bot").await;
    bot.send(json!({"message": "@bot help"})).await;
    assert_eq!(bot.next().await["message"], "@bot help");
    bot.send(json!({"message": "ask @bot help"})).await;
    assert_eq!(bot.next().await["message"], "ask @bot help");
    // It handles one after another: had it answered those, that would come first.
    let mut ada = Person::enter(&site, "elsewhere", "Ada").await;
    asks(&mut ada, "@bot time").await;
    bot.hears_only_itself().await;
}

#[tokio::test]
async fn bots_elsewhere_share_the_work_and_each_question_has_one_answer() {
    let (home, layer) = (Home::new(), MemoryLayer::new());
    let site = site_without_bot(&home, &layer).await;
    let mut bots = Vec::new();
    for _ in 0..2 {
        let (end, ended) = oneshot::channel::<()>();
        let project = project(layer.another_node());
        let loaded = home.settings(&project, &[]);
        let bot = project.open_worker(loaded).await.unwrap().take_workers().pop().unwrap();
        bots.push((end, tokio::spawn(bot.run_until(async { drop(ended.await) }))));
    }
    // The bots have begun when this thread comes back: tests run on one.
    tokio::task::yield_now().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    for _ in 0..10 {
        asks(&mut ada, "@bot roll").await;
    }
    ada.hears_only_itself().await;
    let mut handled = Vec::new();
    for (end, bot) in bots {
        drop(end);
        handled.push(bot.await.unwrap().unwrap().handled);
    }
    assert!(handled.iter().sum::<u64>() == 10 && !handled.contains(&0), "{handled:?}");
}

#[tokio::test]
async fn a_question_that_needed_a_second_try_is_answered_and_once_however_often_it_is_sent() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let site = Site::start_with(ANY_PORT, Announce::Everyone, Bot::Here, layer).await;
    let mut ada = Person::open(&site, "/ws/chat/lobby/?name=Ada&guest=adas-own-secret-0001").await;
    let question = json!({"message": "@bot roll 20d1000", "once": "q-1"});
    faults.disconnect();
    ada.send(question.clone()).await;
    ada.until(|frame| frame["code"] == "not_sent").await;
    faults.reconnect();
    for _ in 0..3 {
        ada.send(question.clone()).await;
    }
    let is_message = |frame: &Value| frame["type"] == "message";
    assert_eq!(ada.until(is_message).await["message"], "@bot roll 20d1000");
    assert_eq!(ada.until(is_message).await["from"], "bot");
    // It handles one after another: a second answer would come before that to this.
    ada.send(json!({"message": "@bot help"})).await;
    assert_eq!(ada.until(is_message).await["message"], "@bot help");
    assert!(hears_the_bot(&mut ada).await.starts_with("@bot time tells"));
}

#[tokio::test]
async fn what_is_asked_while_no_bot_runs_harms_nobody_and_too_much_is_said_to_be() {
    let layer = MemoryLayer::new().capacity(2);
    let site = site_without_bot(&Home::new(), &layer).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    ada.send(json!({"message": "@bot help"})).await;
    assert_eq!(ada.next().await["message"], "@bot help");
    ada.hears_only_itself().await;
    // A bot that does not come to its work.
    let channel = Channel::<Value>::new("chat-bot").unwrap();
    let _stuck = narrows::ChannelLayer::open(&layer, &channel.topic());
    for _ in 0..2 {
        ada.send(json!({"message": "@bot help"})).await;
        assert_eq!(ada.next().await["message"], "@bot help");
    }
    ada.send(json!({"message": "@bot help"})).await;
    // The refusal is for her alone and takes the shorter way.
    let both = [ada.next().await, ada.next().await];
    assert!(both.iter().any(|message| message["message"] == "@bot help"), "{both:?}");
    assert!(both.iter().any(|message| message["code"] == "bot_busy"), "{both:?}");
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn what_another_program_sends_as_nonsense_does_not_end_the_bot() {
    let layer = MemoryLayer::new();
    let elsewhere = Channels::with_layer(layer.another_node());
    let site = Site::start_with(ANY_PORT, Announce::Everyone, Bot::Here, layer).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let channel = Channel::<Value>::new("chat-bot").unwrap();
    for nonsense in [json!({}), json!({"type": "chat.bot", "room": 7}), json!({"type": "other"})] {
        elsewhere.send(&channel, &nonsense).await.unwrap();
    }
    assert!(asks(&mut ada, "@bot time").await.starts_with("It is"));
}
