//! Every way in which a connection ends: the consumer is told exactly once, and is in no group any more.

use std::time::Duration;

use narrows::{Capacity, Cause, Disconnect, Limits, OriginPolicy};
use tokio::time::Instant;

use crate::site::{Ask, Site, ask_echo, ask_say, said};

fn told(end: &Disconnect) -> (u16, &str, Cause) {
    (end.code, end.reason.as_str(), end.cause)
}

/// The connection's end, and that it was told once and left its room.
async fn only_end(site: &mut Site) -> Disconnect {
    let end = site.end().await;
    assert_eq!(site.members("lobby").await, 0, "still in its room after {end:?}");
    site.no_further_end().await;
    end
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_is_told_with_its_code_and_reason() {
    let mut site = Site::new();
    site.connect().await.close(4321, "going home").await;
    assert_eq!(told(&only_end(&mut site).await), (4321, "going home", Cause::Client));
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_without_a_code_is_told_as_1005() {
    let mut site = Site::new();
    site.connect().await.close(1005, "").await;
    assert_eq!(told(&only_end(&mut site).await), (1005, "", Cause::Client));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_told_as_1006() {
    let mut site = Site::new();
    let ada = site.connect().await;
    ada.abort();
    assert_eq!(told(&only_end(&mut site).await), (1006, "", Cause::Lost));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_cut_off_after_25_and_20_seconds() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    ada.answer_pings(false);
    let start = Instant::now();
    assert_eq!(told(&site.end().await), (1006, "no answer to a ping", Cause::PingTimeout));
    let after = start.elapsed().as_secs();
    assert!((44..=48).contains(&after), "{after} s");
    ada.expect_close(1006).await;
    assert_eq!(site.members("lobby").await, 0);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays_however_silent_it_is() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    ada.send(&ask_echo("still here")).await;
    ada.expect(&said("still here")).await;
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_a_minute_is_not_taken_for_a_client_that_is_gone() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    ada.receive_timeout(Duration::from_secs(120));
    ada.send(&Ask::Sleep { millis: 90_000 }).await;
    ada.send(&ask_echo("awake")).await;
    ada.expect(&said("awake")).await;
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_handler_closes_with_1011_and_keeps_its_error_to_itself() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    ada.send(&Ask::Fail).await;
    assert_eq!(ada.expect_close(1011).await, "internal error");
    assert_eq!(told(&only_end(&mut site).await), (1011, "internal error", Cause::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_handler_closes_its_own_connection_only() {
    let mut site = Site::new();
    let (mut ada, mut bob) = (site.connect().await, site.connect().await);
    ada.send(&Ask::Panic).await;
    assert_eq!(ada.expect_close(1011).await, "internal error");
    assert_eq!(told(&site.end().await), (1011, "internal error", Cause::Panicked));
    bob.send(&ask_say("I am still here")).await;
    bob.expect(&said("I am still here")).await;
    assert_eq!(site.members("lobby").await, 1);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_closes_with_its_own_code_and_reason() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    ada.send(&Ask::Close { code: 4000, reason: "关闭".into() }).await;
    assert_eq!(ada.expect_close(4000).await, "关闭");
    assert_eq!(told(&only_end(&mut site).await), (4000, "关闭", Cause::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_disconnect_harms_nobody() {
    let mut site = Site::new();
    let (mut ada, mut bob) = (site.connect().await, site.connect().await);
    ada.send(&Ask::Close { code: 4000, reason: "panic in disconnect".into() }).await;
    ada.expect_close(4000).await;
    assert_eq!(site.end().await.code, 4000);
    bob.send(&ask_echo("fine")).await;
    bob.expect(&said("fine")).await;
    assert_eq!(site.members("lobby").await, 1);
    drop(bob);
    assert_eq!(site.end().await.cause, Cause::Lost);
    while site.channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_too_slowly_is_closed_with_1013() {
    let mut site = Site::with(|node| node.outbox(Capacity::default().max_messages(8)), |bots| bots);
    let mut ada = site.server.connect_request("/ws/lobby").pipe_bytes(1024).connect().await;
    ada.stop_reading();
    ada.send(&Ask::Send { count: 50, bytes: 200 }).await;
    assert_eq!(told(&site.end().await), (1013, "the client reads too slowly", Cause::Slow));
    ada.go_on_reading();
    while let Some(narrows::testing::Received::Text(_)) = ada.next().await {}
    assert_eq!(ada.expect_close(1013).await, "the client reads too slowly");
    assert_eq!(site.members("lobby").await, 0);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_cannot_send_to_a_slow_client_has_not_failed() {
    let mut site = Site::with(|node| node.outbox(Capacity::default().max_messages(8)), |bots| bots);
    let mut ada = site.server.connect_request("/ws/lobby").pipe_bytes(1024).connect().await;
    ada.stop_reading();
    // More than is kept for one tick: the handler itself gets to see that the client is slow.
    ada.send(&Ask::Send { count: 60, bytes: 100_000 }).await;
    assert_eq!(told(&only_end(&mut site).await), (1013, "the client reads too slowly", Cause::Slow));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_stays_full_for_30_seconds_is_a_slow_consumer() {
    let mut site = Site::new();
    let mut ada = site.server.connect_request("/ws/lobby").pipe_bytes(1024).connect().await;
    ada.stop_reading();
    ada.send(&Ask::Send { count: 50, bytes: 200 }).await;
    let start = Instant::now();
    assert_eq!(told(&only_end(&mut site).await).2, Cause::Slow);
    let after = start.elapsed() - Duration::from_secs(120);
    assert!((29..=34).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_breaks_the_protocol_is_told_how() {
    let unmasked: &[u8] = b"\x81\x02hi";
    let not_utf8: &[u8] = b"\x81\x82\0\0\0\0\xc3\x28";
    let too_big: &[u8] = b"\x82\xff\0\0\0\0\x00\x20\x00\x00\0\0\0\0";
    for (code, bytes) in [(1002, unmasked), (1007, not_utf8), (1009, too_big)] {
        let mut site = Site::new();
        let mut ada = site.connect().await;
        ada.send_raw(bytes).await;
        let reason = ada.expect_close(code).await;
        assert_eq!(told(&only_end(&mut site).await), (code, reason.as_str(), Cause::Protocol));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_message_for_the_idle_time_is_closed_though_it_answers_pings() {
    let idle = Limits::default().idle_timeout(Duration::from_secs(60));
    let mut site = Site::with(|node| node.limits(idle), |bots| bots);
    let mut ada = site.connect().await;
    ada.receive_timeout(Duration::from_secs(90));
    tokio::time::sleep(Duration::from_secs(50)).await;
    ada.send(&ask_echo("again")).await;
    ada.expect(&said("again")).await;
    let start = Instant::now();
    assert_eq!(ada.expect_close(1000).await, "idle");
    assert!((59..=70).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(told(&only_end(&mut site).await), (1000, "idle", Cause::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_everyone_with_1012_over_its_window_and_refuses_whoever_comes() {
    let mut site = Site::new();
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(site.connect().await);
    }
    let start = Instant::now();
    site.channels.drain(Duration::from_secs(10)).await;
    assert!((7..=10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    for mut client in clients {
        assert_eq!(client.expect_close(1012).await, "the server restarts");
        assert_eq!(told(&site.end().await), (1012, "the server restarts", Cause::Drain));
    }
    let refused = site.server.connect_request("/ws/lobby").try_connect().await.unwrap_err();
    assert_eq!(refused.status().as_u16(), 503);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_in_progress_is_handled_before_the_end_is_told() {
    let mut site = Site::new();
    let mut watcher = site.server.connect("/watch/lobby").await;
    let mut ada = site.connect().await;
    ada.send(&Ask::Sleep { millis: 3000 }).await;
    ada.send(&ask_say("last words")).await;
    ada.abort();
    watcher.receive_timeout(Duration::from_secs(10));
    watcher.expect(&said("last words")).await;
    assert_eq!(site.end().await.cause, Cause::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_answers_our_close_frame_is_cut_off_after_two_seconds() {
    let mut site = Site::with(|node| node.origin(OriginPolicy::any()), |bots| bots);
    let mut ada = site.connect().await;
    ada.stop_reading();
    ada.send(&Ask::Close { code: 4000, reason: String::new() }).await;
    assert_eq!(site.end().await.code, 4000);
    let start = Instant::now();
    assert_eq!(site.members("lobby").await, 0, "still in its room while it closes");
    while site.channels.stats().connections > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((1900..=2200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}
