//! How often somebody may guess, on a clock of our own.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use narrows_django::{Rate, Throttle, ThrottleSettings, Throttled};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn fail(throttle: &Throttle, account: &str, address: IpAddr, now: Instant) -> Result<(), Throttled> {
    throttle.begin(account, Some(address), now).map(drop)
}

fn default() -> Throttle {
    Throttle::new(ThrottleSettings::default())
}

#[test]
fn after_five_failures_there_is_one_more_a_minute() {
    let (throttle, start) = (default(), Instant::now());
    for _ in 0..5 {
        fail(&throttle, "alice", HERE, start).expect("it is one of the first");
    }
    let refused = fail(&throttle, "alice", HERE, start).expect_err("it is the sixth");
    assert_eq!(refused.retry_after, Duration::from_secs(60));
    let early = fail(&throttle, "alice", HERE, start + Duration::from_secs(50)).expect_err("it is early");
    assert_eq!(early.retry_after, Duration::from_secs(10));
    let minute = start + Duration::from_secs(60);
    fail(&throttle, "alice", HERE, minute).expect("a minute is over");
    assert!(fail(&throttle, "alice", HERE, minute).is_err());
    for _ in 0..5 {
        fail(&throttle, "alice", HERE, start + Duration::from_secs(600)).expect("all is forgotten");
    }
}

#[test]
fn one_address_guesses_twenty_times_in_all_accounts() {
    let (throttle, now) = (default(), Instant::now());
    for n in 0..20 {
        fail(&throttle, &format!("user{n}"), HERE, now).expect("it is one of the first");
    }
    let refused = fail(&throttle, "another", HERE, now).expect_err("it is the twenty-first");
    assert_eq!(refused.retry_after, Duration::from_secs(15));
    fail(&throttle, "another", "192.0.2.1".parse().expect("an address"), now).expect("it is another address");
}

#[test]
fn an_account_that_is_attacked_everywhere_is_open_to_its_owner() {
    let (throttle, now) = (default(), Instant::now());
    for n in 0..=255 {
        for _ in 0..6 {
            // The last of them is refused.
            let _outcome = fail(&throttle, "alice", IpAddr::from([192, 0, 2, n]), now);
        }
    }
    fail(&throttle, "alice", HERE, now).expect("the owner is here");
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let (throttle, now) = (default(), Instant::now());
    for n in 0..20 {
        let address = format!("2001:db8::{n:x}").parse().expect("an address");
        fail(&throttle, &format!("user{n}"), address, now).expect("it is one of the first");
    }
    assert!(fail(&throttle, "x", "2001:db8::ffff:1".parse().expect("an address"), now).is_err());
    fail(&throttle, "x", "2001:db8:0:1::1".parse().expect("an address"), now).expect("it is another network");
    // An IPv4 address has two forms.
    for _ in 0..5 {
        fail(&throttle, "alice", "::ffff:127.0.0.1".parse().expect("an address"), now)
            .expect("one of the first");
    }
    assert!(fail(&throttle, "alice", HERE, now).is_err());
}

#[test]
fn success_forgets_the_account_and_not_the_address() {
    let (throttle, now) = (default(), Instant::now());
    for round in 0..4 {
        for _ in 0..4 {
            fail(&throttle, "alice", HERE, now).expect("there are five in a row, and twenty in all");
        }
        throttle.begin("alice", Some(HERE), now).expect("it is the fifth").succeeded();
        assert!(round < 4);
    }
    for n in 0..4 {
        fail(&throttle, &format!("user{n}"), HERE, now).expect("sixteen have failed so far");
    }
    assert!(fail(&throttle, "another", HERE, now).is_err(), "twenty have failed");
}

#[test]
fn what_was_not_found_out_does_not_count_and_what_goes_on_does() {
    let (throttle, now) = (default(), Instant::now());
    for _ in 0..50 {
        throttle.begin("alice", Some(HERE), now).expect("none counts").undone();
    }
    let running: Vec<_> =
        (0..5).map(|_| throttle.begin("alice", Some(HERE), now).expect("five may run")).collect();
    assert!(throttle.begin("alice", Some(HERE), now).is_err(), "many at once are no way around it");
    running.into_iter().for_each(narrows_django::Attempt::succeeded);
    fail(&throttle, "alice", HERE, now).expect("all were right");
}

#[test]
fn it_remembers_a_bounded_number_and_forgets_what_matters_least() {
    let mut settings = ThrottleSettings::default();
    settings.max_entries = 1000;
    settings.account = Rate { burst: 5, every: Duration::from_secs(3600) };
    let (throttle, now) = (Throttle::new(settings), Instant::now());
    for _ in 0..5 {
        fail(&throttle, "alice", HERE, now).expect("it is one of the first");
    }
    for n in 0..20_000_u32 {
        let address = IpAddr::from((u32::MAX - n).to_be_bytes());
        fail(&throttle, &format!("user{n}"), address, now).expect("each is the first of its kind");
    }
    assert!(fail(&throttle, "alice", HERE, now).is_err(), "the longest is kept");
    let debug = format!("{throttle:?}");
    assert!(debug.matches("Instant").count() <= 1000, "the rest is forgotten");
    assert!(!debug.contains("user"), "and no name is kept");
}
