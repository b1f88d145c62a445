use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rig::{Bytes, Connection, Proxy, Redis, Reply, wait_until};

#[test]
fn a_link_passes_all_and_counts_it() {
    let Some(redis) = Redis::options().password("secret").start() else { return };
    let proxy = Proxy::to(&redis);
    assert_eq!(proxy.url(), format!("redis://:secret@127.0.0.1:{}/", proxy.port()));
    let mut client = Connection::to_port(proxy.port()).unwrap();
    client.command(&["AUTH", "secret"]).unwrap();
    let asked = "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n".len() as u64;
    wait_until("the bytes of both", || {
        proxy.bytes() == Bytes { to_server: asked, to_clients: "+OK\r\n".len() as u64 }
    });
    let big = "x".repeat(3_000_000);
    client.command(&["SET", "big", &big]).unwrap();
    assert_eq!(client.command(&["GET", "big"]).unwrap().as_bytes(), big.as_bytes());
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_link_that_is_cut_resets_what_is_open_and_what_comes_until_it_is_mended() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let mut client = Connection::to_port(proxy.port()).unwrap();
    client.command(&["PING"]).unwrap();
    proxy.cut();
    assert_eq!(client.next().unwrap_err().kind(), ErrorKind::ConnectionReset);
    wait_until("Redis to see it", || {
        redis.reply(&["CLIENT", "LIST", "TYPE", "normal"]).to_string().lines().count() == 1
    });
    let reset = TcpStream::connect(("127.0.0.1", proxy.port())).and_then(|mut stream| stream.read(&mut [0]));
    assert_eq!(reset.unwrap_err().kind(), ErrorKind::ConnectionReset);
    proxy.mend();
    let mut client = Connection::to_port(proxy.port()).unwrap();
    assert!(client.command(&["PING"]).is_ok());
    proxy.reset();
    assert!(client.next().is_err());
    assert!(Connection::to_port(proxy.port()).and_then(|mut client| client.command(&["PING"])).is_ok());
}

#[test]
fn a_link_that_swallows_all_keeps_connections_and_passes_what_is_held_up_once_it_is_mended() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let mut client = Connection::to_port(proxy.port()).unwrap();
    client.command(&["PING"]).unwrap();
    proxy.blackhole();
    let before = proxy.bytes();
    client.push(&["SET", "key", "value"]).unwrap();
    let port = proxy.port();
    let (answers, answered) = mpsc::channel();
    let (first, second) = (answers.clone(), answers);
    thread::spawn(move || first.send(client.next()));
    thread::spawn(move || {
        second.send(Connection::to_port(port).and_then(|mut client| client.command(&["PING"])))
    });
    // Time itself is under test: nothing may come while it passes.
    assert!(answered.recv_timeout(Duration::from_millis(100)).is_err());
    assert_eq!(proxy.bytes(), before);
    assert_eq!(redis.cli(&["EXISTS", "key"]), "0");
    proxy.mend();
    let mut both = [answered.recv().unwrap().unwrap(), answered.recv().unwrap().unwrap()];
    both.sort_by_key(Reply::to_string);
    assert_eq!(both, [Reply::Text(b"OK".to_vec()), Reply::Text(b"PONG".to_vec())]);
}

#[test]
fn a_link_to_a_redis_that_went_away_ends_and_works_again_after_its_restart() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let mut client = Connection::to_port(proxy.port()).unwrap();
    client.command(&["PING"]).unwrap();
    redis.kill();
    assert!(client.next().is_err());
    assert!(Connection::to_port(proxy.port()).and_then(|mut client| client.command(&["PING"])).is_err());
    redis.restart();
    assert!(Connection::to_port(proxy.port()).and_then(|mut client| client.command(&["PING"])).is_ok());
}

#[test]
fn dropping_a_link_resets_its_connections() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let mut client = Connection::to_port(proxy.port()).unwrap();
    client.command(&["PING"]).unwrap();
    let port = proxy.port();
    drop(proxy);
    assert!(client.next().is_err());
    assert!(Connection::to_port(port).is_err());
}
