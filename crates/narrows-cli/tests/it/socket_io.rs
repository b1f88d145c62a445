use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use crate::command::{clean, failure};
use crate::crooked::{self, CLOSE, Peer, TEXT};

type Rooms = Arc<Mutex<HashMap<String, Vec<TcpStream>>>>;

/// A Socket.IO server with rooms: who is in one talks to all in it, and who is in none to itself.
fn serve(rooms: &Rooms) -> String {
    let rooms = Arc::clone(rooms);
    crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(TEXT, br#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
        let mut mine = None;
        let mut is_ponged = false;
        while let Some((opcode, payload)) = peer.read() {
            let text = String::from_utf8_lossy(&payload).into_owned();
            match text.as_str() {
                _ if opcode == CLOSE => return peer.send(CLOSE, &payload),
                // A ping at once: whoever does not answer it gets no message.
                "40" => ["2", r#"40{"sid":"b"}"#].iter().for_each(|text| peer.send(TEXT, text.as_bytes())),
                "3" => is_ponged = true,
                text if text.starts_with(r#"42["join","#) => {
                    let room = text.split('"').nth(3).unwrap().to_owned();
                    rooms.lock().unwrap().entry(room.clone()).or_default().push(peer.0.try_clone().unwrap());
                    mine = Some(room);
                    peer.send(TEXT, br#"42["joined"]"#);
                }
                text if text.starts_with(r#"42["message","#) && is_ponged => match &mine {
                    None => peer.send(TEXT, text.as_bytes()),
                    Some(room) => {
                        for stream in &rooms.lock().unwrap()[room] {
                            Peer(stream.try_clone().unwrap()).send(TEXT, text.as_bytes());
                        }
                    }
                },
                other => panic!("{other}"),
            }
        }
    })
}

fn measure(mode: &str) -> (serde_json::Value, Vec<(String, usize)>) {
    let rooms = Rooms::default();
    let url = serve(&rooms).replace("{room}/", "socket.io/?EIO=4&transport=websocket");
    let report =
        clean(&format!("{mode} --envelope socket-io --url {url} --seconds 0.3 --warm-up 0 --patience 5"));
    let rooms = rooms.lock().unwrap();
    let mut sizes: Vec<_> = rooms.iter().map(|(name, members)| (name.clone(), members.len())).collect();
    sizes.sort_unstable();
    (report, sizes)
}

#[test]
fn socket_io_members_join_one_room() {
    let (report, rooms) = measure("fanout --members 3");
    assert_eq!(report["deliveries"], report["published"].as_u64().unwrap() * 3);
    assert!(report["deliveries"].as_u64().unwrap() > 0);
    assert_eq!(rooms, [("bench".to_owned(), 3)]);
    let (_, rooms) = measure("fanout --members 2 --room lounge");
    assert_eq!(rooms, [("lounge".to_owned(), 2)]);
}

#[test]
fn socket_io_rooms_have_numbers() {
    let (report, rooms) = measure("rooms --rooms 2 --members 3");
    assert_eq!(report["deliveries"], report["published"].as_u64().unwrap() * 3);
    assert_eq!(rooms, [("0".to_owned(), 3), ("1".to_owned(), 3)]);
}

#[test]
fn a_socket_io_echo_joins_nothing() {
    let (report, rooms) = measure("echo --connections 3");
    assert!(report["deliveries"].as_u64().unwrap() > 0);
    assert_eq!(rooms, []);
}

#[test]
fn idle_socket_io_connections_join_a_room_if_one_is_named() {
    let own = std::process::id();
    let (_, rooms) = measure(&format!("idle --connections 2 --pid {own}"));
    assert_eq!(rooms, []);
    let (_, rooms) = measure(&format!("idle --connections 2 --room lounge --pid {own}"));
    // And the one that comes first.
    assert_eq!(rooms, [("lounge".to_owned(), 3)]);
}

#[test]
fn socket_io_visitors_come_and_go() {
    let (report, _) = measure("churn --members 2 --per-second 30");
    assert!(report["visits"].as_u64().unwrap() > 0, "{report}");
    let (report, _) = measure("connect --concurrency 2");
    assert!(report["cycles"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_server_that_does_not_speak_socket_io_is_told() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(TEXT, b"welcome");
        while peer.read().is_some() {}
    });
    let said = failure(&format!("fanout --url {url} --members 1 --envelope socket-io"));
    assert!(said.contains("it sent \"welcome\" instead of the engine.io open packet"), "{said}");
}
