use std::time::Duration;

use narrows::Channels;
use rig::Proxy;

use super::site::{Said, Site, room};

/// Says so many numbers, from 1 on, over a few seconds.
pub(super) async fn talk(channels: &Channels, numbers: u32) {
    for number in 1..=numbers {
        channels.broadcast(&room(), &Said { number }).await.unwrap();
        pause(5).await;
    }
}

/// Breaks a link again and again, in each way there is.
pub(super) async fn of_the_link(proxy: &Proxy, times: u32) {
    for time in 0..times {
        pause(150).await;
        of_a_kind(proxy, time).await;
    }
}

/// Breaks a link once, in one of three ways.
pub(super) async fn of_a_kind(proxy: &Proxy, kind: u32) {
    match kind % 3 {
        0 => proxy.reset(),
        1 => {
            proxy.cut();
            pause(200).await;
        }
        // Longer than a client trusts a silent server.
        _ => {
            proxy.blackhole();
            pause(900).await;
        }
    }
    proxy.mend();
}

/// Stops a server and starts it again.
pub(super) async fn restarts(site: &mut Site, times: u32) {
    for _ in 0..times {
        pause(300).await;
        site.stop().await;
        pause(100).await;
        site.start_again().await;
    }
}

/// Not a wait for something: time that passes while things are broken, or whole.
async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
