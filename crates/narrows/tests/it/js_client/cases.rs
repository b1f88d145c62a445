use std::time::Duration;

use narrows::HistoryRange;
use serde_json::json;

use super::faults;
use super::page::Page;
use super::site::{Said, Site, corner, room};

/// As quick, and no attempt is given up: a token that reached the server is good for nothing afterwards.
const PERSISTENT: &str = "{ minDelay: 20, maxDelay: 200, pingTimeout: 300 }";

/// So that a test waits for milliseconds where people would for seconds.
pub(super) const QUICK: &str = "{ minDelay: 20, maxDelay: 200, connectTimeout: 1000, pingTimeout: 300 }";

pub(super) async fn requests_are_answered_with_a_value_or_an_error(_: &mut Site, page: &Page, address: &str) {
    page.start(address, "{ protocols: ['room.v1'] }").await;
    let answer = page.value("client.request({ type: 'double', number: 21 })").await;
    assert_eq!(answer, 42);
    let refused = "client.request({ type: 'refuse' }).catch(({ code, detail }) => [code, detail])";
    assert_eq!(page.value(refused).await, json!(["refused", "not today"]));
    let unreadable = "client.request({ type: 'nonsense' }).catch(({ code }) => code)";
    assert_eq!(page.value(unreadable).await, "malformed");
}

pub(super) async fn a_connection_that_was_cut_is_made_again(site: &mut Site, page: &Page, address: &str) {
    page.start(address, QUICK).await;
    page.until("count('open') === 1").await;
    site.proxy.reset();
    page.until("count('open') === 2").await;
    site.proxy.cut();
    page.until("count('reconnecting') > 3").await;
    site.proxy.mend();
    page.until("count('open') === 3").await;
    site.channels.broadcast(&room(), &Said { number: 7 }).await.unwrap();
    page.until("seen.length").await;
    assert_eq!(page.value("seen").await[0]["number"], 7);
}

pub(super) async fn a_link_that_loses_everything_is_noticed_and_left(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(address, QUICK).await;
    page.until("count('open') === 1").await;
    site.proxy.blackhole();
    page.until("count('close') > 1").await;
    assert_eq!(page.value("happened[1].reason").await, "the server is silent");
    assert_eq!(page.value("last('close').reason").await, "no connection in time");
    site.proxy.mend();
    page.until("client.state === 'open'").await;
}

pub(super) async fn a_server_that_is_restarted_is_found_again(site: &mut Site, page: &Page, address: &str) {
    page.start(address, QUICK).await;
    page.until("count('open') === 1").await;
    site.stop().await;
    page.until("count('reconnecting') > 2").await;
    assert_eq!(page.value("happened[1].code").await, 1012);
    site.start_again().await;
    page.until("client.state === 'open'").await;
    assert_eq!(page.value("client.request({ type: 'double', number: 4 })").await, 8);
}

pub(super) async fn what_is_sent_without_a_connection_arrives_with_the_next(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(address, QUICK).await;
    page.until("count('open') === 1").await;
    site.proxy.cut();
    page.until("client.state !== 'open'").await;
    page.run("globalThis.asked = Promise.all([1, 2, 3].map((number) => client.request({ type: 'double', number })))")
        .await;
    site.proxy.mend();
    assert_eq!(page.value("asked").await, json!([2, 4, 6]));
}

pub(super) async fn after_a_final_close_nothing_is_tried(site: &mut Site, page: &Page, address: &str) {
    page.start(address, QUICK).await;
    page.until("client.state === 'open'").await;
    let connections = site.proxy.connections();
    page.run("client.send({ type: 'close', code: 4401 })").await;
    page.until("count('final')").await;
    let end = page.value("last('final')").await;
    assert_eq!((&end["code"], &end["reason"]), (&json!(4401), &json!("as you like")));
    assert_eq!(page.value("client.state").await, "closed");
    // Longer than any wait between attempts.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(site.proxy.connections(), connections);
}

pub(super) async fn a_connection_goes_on_where_it_was_cut_off(site: &mut Site, page: &Page, address: &str) {
    page.start(address, QUICK).await;
    page.until("count('open') === 1").await;
    for number in 1..=3 {
        assert_eq!(page.value("client.request({ type: 'asked' })").await, number);
    }
    site.proxy.reset();
    page.until("count('resumed') === 1").await;
    assert_eq!(page.value("client.request({ type: 'asked' })").await, 4);
    site.stop().await;
    site.start_again().await;
    page.until("count('resumed') === 2").await;
    assert_eq!(page.value("client.request({ type: 'asked' })").await, 5);
}

pub(super) async fn each_message_arrives_once_and_in_order_whatever_happens_to_the_link(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(address, QUICK).await;
    page.until("client.position('room.lobby')").await;
    let talk = faults::talk(&site.channels, 400);
    tokio::join!(faults::of_the_link(&site.proxy, 8), talk);
    hears_all(page, 400).await;
}

pub(super) async fn each_message_arrives_once_and_in_order_over_restarts_of_the_server(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(address, QUICK).await;
    page.until("client.position('room.lobby')").await;
    // Another node, which stays.
    let other = site.another_node();
    let talk = faults::talk(&other, 400);
    tokio::join!(faults::restarts(site, 4), talk);
    hears_all(page, 400).await;
}

pub(super) async fn what_is_sent_again_counts_once_and_keeps_its_order(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(address, QUICK).await;
    page.until("client.position('room.lobby')").await;
    // One after another, and many at once.
    let say = "globalThis.said = (async () => {
        const all = [];
        for (let number = 1; number <= 400; number++) {
            all.push(client.request({ type: 'say', number }));
            if (number % 3 === 0) await new Promise((done) => setTimeout(done, 15));
        }
        await Promise.all(all);
    })()";
    page.run(say).await;
    faults::of_the_link(&site.proxy, 8).await;
    page.value("said.then(() => true)").await;
    hears_all(page, 400).await;
    let kept = site.channels.history(&room(), HistoryRange::newest(1000)).await.unwrap();
    let kept: Vec<u32> = kept.messages.iter().map(|(_, said)| said.number).collect();
    assert_eq!(kept, (1..=400).collect::<Vec<u32>>());
    assert!(page.value("count('open')").await.as_u64().unwrap() > 4);
}

pub(super) async fn what_is_lost_for_good_is_told(site: &mut Site, page: &Page, address: &str) {
    page.start(address, QUICK).await;
    page.until("client.position('room.corner')").await;
    site.proxy.cut();
    page.until("client.state === 'waiting'").await;
    for number in 1..=10 {
        site.channels.broadcast(&corner(), &Said { number }).await.unwrap();
    }
    site.proxy.mend();
    page.until("count('unrecovered')").await;
    site.channels.broadcast(&corner(), &Said { number: 11 }).await.unwrap();
    page.until("seen.length").await;
    let lost = page.value("last('unrecovered')").await;
    assert_eq!(lost["group"], "room.corner");
    assert!(lost["position"].as_str().unwrap().ends_with("-10"), "{lost}");
    let seen = page.value("seen.map(({ number }) => number)").await;
    assert_eq!((seen, page.value("count('unrecovered')").await), (json!([11]), json!(1)));
}

/// Nothing lost, nothing twice, in order.
async fn hears_all(page: &Page, last: u32) {
    page.until(&format!("seen.some(({{ number }}) => number === {last})")).await;
    let seen = page.value("seen.map(({ number }) => number)").await;
    assert_eq!(seen, json!((1..=last).collect::<Vec<u32>>()));
    assert_eq!(page.value("count('unrecovered')").await, 0);
}

pub(super) async fn the_roster_is_right_and_quiet_over_cuts_stalls_and_restarts(
    site: &mut Site,
    page: &Page,
    address: &str,
) {
    page.start(&format!("{address}?name=ann"), PERSISTENT).await;
    let follow = "globalThis.here = client.presence('room.lobby'), globalThis.told = [],
        ['join', 'update', 'leave'].forEach((what) => here.on(what, ({ key, metas }) => told.push([what, key, ...metas])))";
    page.run(follow).await;
    page.until("here.synced && here.people.has('ann')").await;
    let others = format!(
        "globalThis.others = ['bob', 'cid'].map((name) => new Narrows('{address}?name=' + name, {PERSISTENT}))"
    );
    page.run(&others).await;
    page.until("here.synced && here.people.size === 3 && here.count === 3").await;
    page.run("others[1].send({ type: 'status', text: 'busy' })").await;
    page.until("here.people.get('cid')[0] === 'busy'").await;
    page.run("told.length = 0").await;
    // Each time when all are there: who lost the answer to a handshake has used up the token, and comes as another device.
    let all_open = "[client, ...others].every(({ state }) => state === 'open')";
    for kind in 0..3 {
        page.until(all_open).await;
        faults::of_a_kind(&site.proxy, kind).await;
    }
    page.until(all_open).await;
    faults::restarts(site, 1).await;
    page.until(all_open).await;
    page.until("here.synced").await;
    page.run("others[0].close()").await;
    page.until("here.people.size === 2").await;
    assert_eq!(page.value("told").await, json!([["leave", "bob", ""]]));
    assert_eq!(page.value("[...here.people]").await, json!([["ann", [""]], ["cid", ["busy"]]]));
}
