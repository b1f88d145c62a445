//! The clocks of nodes: they do not matter, for nothing that a node says holds its time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narrows_core::Absence;
use narrows_redis::Kind;
use rig::Redis;

use super::{LONG, Present, SHORT};
use crate::nodes::{fresh_name, on_both_layers, options};

on_both_layers! {
    no_node_says_what_time_it_is,
}

async fn no_node_says_what_time_it_is(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let options = || options(&redis.url()).symmetric_encryption_keys(["secret"]);
    let ([node, dies], group) = ([0; 2].map(|_| Present::new(kind, options())), fresh_name());
    let mut monitor = redis.connection();
    monitor.command(&["MONITOR"]).unwrap();
    dies.renew(SHORT).await;
    dies.track(&group, 1, "ada").await;
    node.renew(LONG).await;
    node.track(&group, 2, "eve").await;
    node.let_go(&group, 2, Absence::Away(Duration::from_millis(1))).await;
    node.take(&group).await;
    node.until_count(&group, 0).await;
    node.track(&group, 3, "bob").await;
    redis.cli(&["ECHO", "the end"]);
    let mut said = 0;
    loop {
        let line = monitor.next().unwrap().to_string();
        if line.contains("\"the end\"") {
            break;
        }
        // What scripts do has Redis' own time in it.
        if line.contains("presence-") && !line.contains(" lua] ") {
            said += 1;
            let (_, command) = line.split_once(']').unwrap();
            let numbers = command.split(|c: char| !c.is_ascii_digit() && c != '.');
            let times =
                numbers.filter_map(|number| number.parse().ok()).filter(|number| is_about_now(*number));
            assert_eq!(times.collect::<Vec<f64>>(), [0.0; 0], "{command}");
        }
    }
    assert!(said > 10, "{said} commands");
}

/// Whether a number is a time of this year, in whatever unit since 1970.
fn is_about_now(number: f64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let units = [1.0, 1e3, 1e6, 1e9];
    units.iter().any(|unit| (number / unit - now).abs() < 365.0 * 86_400.0)
}
