//! What answers on the port of a Redis and is none, or is one that is of no use: clear words, in time, and no haste.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use narrows_core::LayerError;
use narrows_redis::Kind;
use rig::Redis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::logs;
use crate::nodes::{Node, fresh_group, on_both_layers, said};

on_both_layers! {
    a_wrong_password,
    a_database_that_is_not_there,
    a_port_where_nobody_listens,
    a_web_server,
    a_server_that_says_nothing,
    a_server_too_old_for_the_protocol,
    a_server_that_closes_at_once,
    a_server_that_closes_whenever_it_has_said_hello,
}

async fn a_wrong_password(kind: Kind) {
    let Some(redis) = Redis::options().password("right").start() else { return };
    let before = rejected(&redis);
    says(kind, &format!("redis://:wrong@127.0.0.1:{}", redis.port()), "WRONGPASS").await;
    says(kind, &format!("redis://127.0.0.1:{}", redis.port()), "NOAUTH").await;
    // Two links a node, and a wait that grows, for a second each.
    assert!(rejected(&redis) - before < 80, "{} attempts", rejected(&redis) - before);
}

async fn a_database_that_is_not_there(kind: Kind) {
    let Some(redis) = Redis::options().databases(2).start() else { return };
    says(kind, &format!("{}7", redis.url()), "DB index is out of range").await;
}

async fn a_port_where_nobody_listens(kind: Kind) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    says(kind, &format!("redis://127.0.0.1:{port}"), "refused").await;
}

async fn a_web_server(kind: Kind) {
    let fake = Fake::start(async |mut client| {
        let mut buffer = [0; 4096];
        if client.read(&mut buffer).await.is_ok() {
            let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            // A client that has gone needs none.
            let _ = client.write_all(answer).await;
        }
    });
    let fake = fake.await;
    says(kind, &fake.url(), "what answers is no Redis").await;
    fake.was_not_rushed();
}

async fn a_server_that_says_nothing(kind: Kind) {
    let fake = Fake::start(async |mut client| {
        let mut buffer = [0; 4096];
        while let Ok(1..) = client.read(&mut buffer).await {}
    });
    let fake = fake.await;
    says(kind, &fake.url(), "").await;
    fake.was_not_rushed();
}

async fn a_server_too_old_for_the_protocol(kind: Kind) {
    let fake = Fake::start(async |client| {
        answer(client, |command| match command {
            "HELLO" => Some("-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"),
            _ => Some("-ERR unknown command\r\n"),
        })
        .await;
    });
    let fake = fake.await;
    says(kind, &fake.url(), "Redis 6 or later is needed").await;
    fake.was_not_rushed();
}

async fn a_server_that_closes_at_once(kind: Kind) {
    let fake = Fake::start(async |_| {}).await;
    says(kind, &fake.url(), "").await;
    fake.was_not_rushed();
}

async fn a_server_that_closes_whenever_it_has_said_hello(kind: Kind) {
    let fake = Fake::start(async |client| {
        answer(client, |command| match command {
            "HELLO" => Some("%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n"),
            "CLIENT" => Some("+OK\r\n"),
            _ => None,
        })
        .await;
    });
    let fake = fake.await;
    says(kind, &fake.url(), "").await;
    fake.was_not_rushed();
}

/// Nothing works for a second, and that is said with these words.
async fn says(kind: Kind, url: &str, words: &str) {
    let node = Node::at(kind, url);
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        for failed in [node.publish(&fresh_group(), 1).await, node.subscribe(&fresh_group()).await] {
            let error = failed.expect_err("this is no Redis");
            assert!(matches!(error, LayerError::Unavailable(_)), "{error:?}");
            let said = said(&error);
            assert!(said.contains(words), "{said}");
            assert!(said.contains(url.trim_start_matches("redis://:wrong@")), "{said}");
        }
        // Long enough that it costs nothing: the attempts of the links are looked at, not those of the callers.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn rejected(redis: &Redis) -> u64 {
    let stats = redis.cli(&["INFO", "stats"]);
    let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.and_then(|count| count.trim().parse().ok()).expect("redis counts them")
}

/// A server that does one thing with each connection, for as long as the test's runtime.
struct Fake {
    port: u16,
    connections: Arc<AtomicU64>,
}

impl Fake {
    async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        logs::keep();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let fake = Self { port: listener.local_addr().unwrap().port(), connections: Arc::default() };
        let connections = fake.connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(client));
            }
        });
        fake
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// In the second or two since its start.
    fn was_not_rushed(&self) {
        let connections = self.connections.load(Ordering::SeqCst);
        assert!((1..40).contains(&connections), "{connections} connections");
        let lines = logs::with(&self.url());
        assert!(lines.len() < 10, "{lines:#?}");
    }
}

/// Answers commands until there is one that it does not answer.
async fn answer(mut client: TcpStream, answer_to: impl Fn(&str) -> Option<&'static str>) {
    let (mut buffer, mut text) = ([0; 4096], String::new());
    while let Ok(count @ 1..) = client.read(&mut buffer).await {
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        // Each command is an array, whose second line is the length of its name, and the third that.
        let commands = text.split('*').skip(1).filter_map(|command| command.split("\r\n").nth(2));
        let mut answers = String::new();
        let mut known = true;
        for command in commands {
            match answer_to(command) {
                Some(answer) => answers.push_str(answer),
                None => known = false,
            }
        }
        text.clear();
        if client.write_all(answers.as_bytes()).await.is_err() || !known {
            return;
        }
    }
}
