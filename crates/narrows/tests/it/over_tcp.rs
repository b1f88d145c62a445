//! Over real TCP, with a client that is not ours: in a stranger's `axum::serve`, and in our own server.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::{Cause, Channels, Disconnect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::site::{Ask, Msg, app, ask_echo, ask_say, number, room, said};

/// A site on a port of this machine.
struct Port {
    address: SocketAddr,
    channels: Channels,
    ends: UnboundedReceiver<Disconnect>,
}

impl Port {
    /// Mounted in a plain `axum::serve`, on the runtime of the test; the sockets move to the shards.
    async fn mounted(shards: usize) -> Self {
        let channels = Channels::builder().shards(shards).build();
        let (app, ends) = app(&channels, |bots| bots);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, channels, ends }
    }

    async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}/ws/lobby", self.address), stream).await.unwrap();
        Client(socket)
    }

    async fn end(&mut self) -> Disconnect {
        within(self.ends.recv()).await.unwrap()
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("in time")
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn send(&mut self, ask: &Ask) {
        within(self.0.send(Message::text(serde_json::to_string(ask).unwrap()))).await.unwrap();
    }

    async fn receive(&mut self) -> Msg {
        let message = within(self.0.next()).await.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    async fn close_frame(&mut self) -> Option<CloseFrame> {
        match within(self.0.next()).await.unwrap().unwrap() {
            Message::Close(frame) => frame,
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_mounted_in_a_plain_axum_server_works_over_its_shards() {
    let mut port = Port::mounted(2).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(port.connect().await);
    }
    clients[0].send(&ask_say("hi")).await;
    for client in &mut clients {
        assert_eq!(client.receive().await, said("hi"));
    }
    clients[1].send(&Ask::Send { count: 3, bytes: 100_000 }).await;
    for n in 1..=3 {
        assert_eq!(clients[1].receive().await, number(n, 100_000));
    }
    clients[2].send(&Ask::Close { code: 4000, reason: "关闭".into() }).await;
    let frame = clients[2].close_frame().await.unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4000, "关闭"));
    assert!(matches!(within(clients[2].0.next()).await, None | Some(Err(Error::ConnectionClosed))));
    assert_eq!(port.end().await.cause, Cause::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_of_clients_are_told_over_tcp_too() {
    let mut port = Port::mounted(2).await;
    let mut closes = port.connect().await;
    let frame = CloseFrame { code: 4321.into(), reason: "bye".into() };
    within(closes.0.close(Some(frame))).await.unwrap();
    let end = port.end().await;
    assert_eq!((end.code, end.reason.as_str(), end.cause), (4321, "bye", Cause::Client));
    assert_eq!(u16::from(closes.close_frame().await.unwrap().code), 4321);
    drop(port.connect().await);
    assert_eq!(port.end().await.cause, Cause::Lost);
    let resets = port.connect().await;
    let stream = resets.0.into_inner();
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(port.end().await.cause, Cause::Lost);
}

/// A handshake with frames right behind it, all in one write; all that comes back up to `until`.
async fn pipelined(address: SocketAddr, frames: &[u8], until: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut bytes = format!(
        "GET /ws/lobby HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(frames);
    stream.write_all(&bytes).await.unwrap();
    let mut came = Vec::new();
    while !String::from_utf8_lossy(&came).contains(until) {
        assert_ne!(within(stream.read_buf(&mut came)).await.unwrap(), 0, "the server hung up");
    }
    String::from_utf8_lossy(&came).into_owned()
}

fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_right_behind_the_handshake_are_neither_lost_nor_mixed() {
    let port = Port::mounted(2).await;
    let frames: Vec<u8> = (0..300)
        .flat_map(|n| text_frame(&serde_json::to_string(&ask_echo(&format!("<{n}>"))).unwrap()))
        .collect();
    for _ in 0..5 {
        let came = pipelined(port.address, &frames, "<299>").await;
        let places: Vec<_> = (0..300).map(|n| came.find(&format!("<{n}>")).unwrap()).collect();
        assert!(places.is_sorted());
        assert!(came.starts_with("HTTP/1.1 101"));
    }
    let early = port.channels.stats().received;
    assert_eq!(early, 5 * 300);
}

/// Our own server on a free port, until it is told to end.
fn own_settings(window: Duration) -> Settings {
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    settings.shards = 2;
    settings.drain_window = window;
    settings
}

async fn own_server(window: Duration) -> (Port, oneshot::Sender<()>, JoinHandle<()>) {
    own_server_with(own_settings(window)).await
}

async fn own_server_with(settings: Settings) -> (Port, oneshot::Sender<()>, JoinHandle<()>) {
    let channels = Channels::builder().settings(&settings).unwrap().build();
    let (app, ends) = app(&channels, |bots| bots);
    let server = Server::new(app, &channels, &settings).listen().await.unwrap();
    let narrows::serve::Address::Tcp(address) = server.addresses()[0] else { panic!("no TCP") };
    let (end, ended) = oneshot::channel();
    let running = tokio::spawn(server.run_until(async { ended.await.unwrap() }));
    (Port { address, channels, ends }, end, running)
}

#[tokio::test]
async fn our_own_server_serves_until_its_end_and_then_drains() {
    let (mut port, end, running) = own_server(Duration::from_millis(50)).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(port.connect().await);
    }
    clients[0].send(&ask_say("hi")).await;
    for client in &mut clients {
        assert_eq!(client.receive().await, said("hi"));
    }
    end.send(()).unwrap();
    for client in &mut clients {
        let frame = client.close_frame().await.unwrap();
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1012, "the server restarts"));
        // The library answers the close frame when it is asked for more.
        assert!(within(client.0.next()).await.is_none_or(|next| next.is_err()));
        assert_eq!(port.end().await.cause, Cause::Drain);
    }
    within(running).await.unwrap();
    assert_eq!(port.channels.stats().connections, 0);
    assert!(TcpStream::connect(port.address).await.is_err(), "still listening");
}

#[tokio::test]
async fn who_connected_before_the_end_and_asks_after_it_is_answered() {
    let (port, end, running) = own_server(Duration::ZERO).await;
    let mut early = TcpStream::connect(port.address).await.unwrap();
    // They are accepted in order: the first is in when a later one is answered.
    drop(port.connect().await);
    end.send(()).unwrap();
    while TcpStream::connect(port.address).await.is_ok() {
        tokio::task::yield_now().await;
    }

    early.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();

    let mut answer = String::new();
    within(early.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    within(running).await.unwrap();
}

#[tokio::test]
async fn who_has_sent_half_a_head_does_not_hold_up_the_end() {
    let mut settings = own_settings(Duration::ZERO);
    settings.header_timeout = Duration::ZERO;
    settings.drain_timeout = Duration::from_secs(600);
    let (port, end, running) = own_server_with(settings).await;
    let mut slow = TcpStream::connect(port.address).await.unwrap();
    slow.write_all(b"GET /nowhere HTTP/1.1\r\nhost: local").await.unwrap();
    drop(port.connect().await);
    end.send(()).unwrap();
    within(running).await.unwrap();
    let mut nothing = Vec::new();
    // Cut off, or closed with what it sent unread.
    let _ = within(slow.read_to_end(&mut nothing)).await;
    assert!(nothing.is_empty(), "{nothing:?}");
}

#[tokio::test]
async fn a_drain_lets_a_handler_finish() {
    let (mut port, end, running) = own_server(Duration::ZERO).await;
    let mut client = port.connect().await;
    let start = Instant::now();
    client.send(&Ask::Sleep { millis: 300 }).await;
    while port.channels.stats().received == 0 {
        tokio::task::yield_now().await;
    }
    end.send(()).unwrap();
    assert_eq!(u16::from(client.close_frame().await.unwrap().code), 1012);
    assert!(start.elapsed() >= Duration::from_millis(300), "cut short after {:?}", start.elapsed());
    assert!(within(client.0.next()).await.is_none_or(|next| next.is_err()));
    assert_eq!(port.end().await.cause, Cause::Drain);
    within(running).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_costs_the_others_nothing_over_tcp() {
    let mut port = Port::mounted(1).await;
    let (slow, mut quick) = (port.connect().await, port.connect().await);
    let flood = async {
        for n in 0..200 {
            port.channels.broadcast(&room("lobby"), &number(n, 100_000)).await.unwrap();
            assert_eq!(quick.receive().await, number(n, 100_000));
        }
    };
    within(flood).await;
    let end = port.end().await;
    assert_eq!((end.code, end.cause), (1013, Cause::Slow));
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_does_not_wait_for_the_receipt_of_the_one_before() {
    let channels = Channels::builder().shards(1).build();
    let (app, ends) = app(&channels, |bots| bots);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    let listener = listener.tap_io(move |socket| tell.send(socket.as_fd().try_clone_to_owned()).unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let mut client = Port { address, channels, ends }.connect().await;
    client.send(&ask_echo("hi")).await;
    assert_eq!(client.receive().await, said("hi"));
    let socket = within(accepted.recv()).await.unwrap().unwrap();
    assert!(socket2::SockRef::from(&socket).tcp_nodelay().unwrap());
}
