use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rig::{Connection, Redis, Reply};

#[test]
fn a_redis_answers_on_its_port_and_on_its_socket() {
    let Some(redis) = Redis::start() else { return };
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}/", redis.port()));
    let mut client = Connection::to_port(redis.port()).unwrap();
    assert_eq!(client.command(&["SET", "key", "value"]).unwrap(), Reply::Text(b"OK".to_vec()));
    let mut client = Connection::to_socket(&redis.socket_path()).unwrap();
    assert_eq!(client.command(&["GET", "key"]).unwrap(), Reply::Text(b"value".to_vec()));
    assert_eq!(redis.cli(&["MGET", "key", "other", "key"]), "value\n\nvalue");
    assert_eq!(redis.cli(&["CONFIG", "GET", "save"]), "save\n");
}

#[test]
fn many_run_at_once_and_each_by_itself() {
    let all: Vec<Redis> = std::iter::repeat_with(Redis::start).take(5).flatten().collect();
    for redis in &all {
        redis.cli(&["SET", "port", &redis.port().to_string()]);
    }
    for redis in &all {
        assert_eq!(redis.cli(&["GET", "port"]), redis.port().to_string());
    }
}

#[test]
fn one_that_is_dropped_is_gone_with_its_folder_also_in_a_panic() {
    let Some(redis) = Redis::start() else { return };
    let (port, socket) = (redis.port(), redis.socket_path());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _redis = redis;
        panic!("as a test that fails");
    }));
    assert!(panicked.is_err());
    assert!(Connection::to_port(port).is_err());
    assert!(!socket.parent().is_some_and(Path::exists));
}

#[test]
fn passwords_and_users_are_asked_for() {
    let options = Redis::options().password("se\"cret").acl_user("reader", "open", "~asgi* +get");
    let Some(redis) = options.start() else { return };
    let mut client = Connection::to_port(redis.port()).unwrap();
    let refused = |reply: &Reply, code: &str| matches!(reply, Reply::Error(text) if text.starts_with(code));
    assert!(refused(&client.command(&["PING"]).unwrap(), "NOAUTH"));
    assert!(!refused(&client.command(&["AUTH", "se\"cret"]).unwrap(), ""));
    assert_eq!(client.command(&["GET", "other"]).unwrap(), Reply::Nil);
    client.command(&["AUTH", "reader", "open"]).unwrap();
    assert_eq!(client.command(&["GET", "asgi"]).unwrap(), Reply::Nil);
    assert!(refused(&client.command(&["GET", "other"]).unwrap(), "NOPERM"));
    assert!(refused(&client.command(&["SET", "asgi", "1"]).unwrap(), "NOPERM"));
    assert_eq!(redis.url_as("reader", "open"), format!("redis://reader:open@127.0.0.1:{}/", redis.port()));
}

#[test]
fn one_with_a_socket_only_has_no_port() {
    let Some(redis) = Redis::options().unix_socket().start() else { return };
    assert_eq!(redis.url(), format!("unix://{}", redis.socket_path().display()));
    assert_eq!(redis.cli(&["CONFIG", "GET", "port"]), "port\n0");
    assert!(Connection::to_port(redis.port()).is_err());
}

#[test]
fn settings_reach_the_server() {
    let options = Redis::options().databases(2).maxmemory(5_000_000, "noeviction").config("timeout", "7");
    let Some(redis) = options.start() else { return };
    assert_eq!(redis.cli(&["CONFIG", "GET", "databases"]), "databases\n2");
    assert_eq!(redis.cli(&["CONFIG", "GET", "maxmemory-policy"]), "maxmemory-policy\nnoeviction");
    assert_eq!(redis.cli(&["CONFIG", "GET", "timeout"]), "timeout\n7");
    let full = redis.reply(&["SET", "big", &"x".repeat(8_000_000)]);
    let full = if full == Reply::Text(b"OK".to_vec()) { redis.reply(&["SET", "one", "more"]) } else { full };
    assert!(full.to_string().starts_with("OOM"), "{full}");
}

#[test]
#[should_panic(expected = "NONSENSE: ERR unknown command")]
fn a_command_that_is_refused_is_shown_with_the_log() {
    match Redis::start() {
        Some(redis) => drop(redis.cli(&["NONSENSE"])),
        None => panic!("NONSENSE: ERR unknown command, as there is no Redis to say so"),
    }
}

#[test]
#[should_panic(expected = "Bad directive")]
fn a_server_that_does_not_start_is_shown_with_the_log() {
    match Redis::options().config("nonsense", "1").start() {
        Some(_) => {}
        None => panic!("Bad directive, as there is no Redis to say so"),
    }
}

#[test]
fn a_restart_keeps_port_and_url_and_loses_what_was_in_memory() {
    let Some(redis) = Redis::start() else { return };
    let url = redis.url();
    for end in [Redis::kill, Redis::stop, |_: &Redis| ()] {
        redis.cli(&["SET", "key", "value"]);
        end(&redis);
        redis.restart();
        assert_eq!(redis.cli(&["EXISTS", "key"]), "0");
        assert_eq!(redis.url(), url);
        assert!(Connection::to_port(redis.port()).is_ok());
    }
}

#[test]
fn one_that_is_killed_refuses_connections() {
    let Some(redis) = Redis::start() else { return };
    let mut client = Connection::to_port(redis.port()).unwrap();
    redis.kill();
    assert!(client.command(&["PING"]).is_err());
    assert!(Connection::to_port(redis.port()).is_err());
}

#[test]
fn one_that_appends_to_a_file_knows_all_after_a_crash() {
    let Some(redis) = Redis::options().append_only().start() else { return };
    redis.cli(&["SET", "key", "value"]);
    redis.kill();
    redis.restart();
    assert_eq!(redis.cli(&["GET", "key"]), "value");
}

#[test]
fn one_that_is_frozen_answers_when_it_is_thawed() {
    let Some(redis) = Redis::start() else { return };
    let mut client = Connection::to_port(redis.port()).unwrap();
    redis.freeze();
    client.push(&["PING"]).unwrap();
    let asked = Instant::now();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| client.next().map(|answer| (answer, asked.elapsed())));
        // Time itself is under test: nothing may come while it passes.
        std::thread::sleep(Duration::from_millis(100));
        redis.thaw();
        let (answer, waited) = answer.join().unwrap().unwrap();
        assert_eq!(answer, Reply::Text(b"PONG".to_vec()));
        assert!(waited >= Duration::from_millis(100), "{waited:?}");
    });
}

#[test]
fn one_that_is_frozen_can_be_stopped_and_killed() {
    let Some(redis) = Redis::start() else { return };
    redis.freeze();
    redis.stop();
    redis.restart();
    redis.freeze();
    redis.kill();
    redis.restart();
    assert_eq!(redis.cli(&["PING"]), "PONG");
}

#[test]
fn all_clients_are_cut_off_and_may_come_back() {
    let Some(redis) = Redis::start() else { return };
    let mut plain = Connection::to_port(redis.port()).unwrap();
    plain.command(&["PING"]).unwrap();
    let mut subscriber = Connection::to_port(redis.port()).unwrap();
    subscriber.command(&["SUBSCRIBE", "news"]).unwrap();
    redis.wait_for_subscribers("news", 1);
    assert_eq!(redis.client_kill_all(), 2);
    assert!(plain.next().is_err() && subscriber.next().is_err());
    redis.wait_for_subscribers("news", 0);
    let mut plain = Connection::to_port(redis.port()).unwrap();
    assert!(plain.command(&["PING"]).is_ok());
}

#[test]
fn a_connection_of_the_rig_hears_what_is_published() {
    let Some(redis) = Redis::options().password("secret").start() else { return };
    let mut subscriber = redis.connection();
    subscriber.command(&["SUBSCRIBE", "news"]).unwrap();
    assert_eq!(redis.cli(&["PUBLISH", "news", "rain"]), "1");
    assert_eq!(subscriber.next().unwrap().items()[2].as_bytes(), b"rain");
}
