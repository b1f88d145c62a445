use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::site::Site;

/// How long an answer may take before a test fails; an event is awaited, not this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody with a socket to the site.
pub(crate) struct Person {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Person {
    pub(crate) async fn open(site: &Site, path: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}{path}", site.address)).await.unwrap();
        Self { socket }
    }

    /// The same with a client that speaks `narrows.v1`, at an address.
    pub(crate) async fn open_page(address: &str, path: &str) -> Self {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "narrows.v1".parse().unwrap());
        let (socket, _) = connect_async(request).await.unwrap();
        Self { socket }
    }

    /// The same for somebody who comes back: with what the client offers, and a cookie where somebody is logged in.
    pub(crate) async fn open_again(site: &Site, path: &str, cookie: &str, offers: &str) -> Self {
        let mut request = Self::request_as(site, path, cookie);
        let protocols = format!("narrows.v1, {offers}").parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        let (socket, _) = connect_async(request).await.unwrap();
        Self { socket }
    }

    /// Waits for a message like this.
    pub(crate) async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.frame_as_it_is().await;
            if is_it(&frame) {
                return frame;
            }
        }
    }

    /// The same for somebody with a cookie, from a page of the site.
    pub(crate) async fn open_as(site: &Site, path: &str, cookie: &str) -> Self {
        let (socket, _) = connect_async(Self::request_as(site, path, cookie)).await.unwrap();
        Self { socket }
    }

    fn request_as(site: &Site, path: &str, cookie: &str) -> Request {
        let mut request = format!("ws://{}{path}", site.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", format!("http://{}", site.address).parse().unwrap());
        headers.insert("cookie", cookie.parse().unwrap());
        request
    }

    /// Enters a room as somebody who is logged in.
    pub(crate) async fn enter_as(site: &Site, room: &str, name: &str, cookie: &str) -> Self {
        let mut person = Self::open_as(site, &format!("/ws/chat/{room}/"), cookie).await;
        assert_eq!(
            person.next().await,
            json!({"type": "welcome", "name": name, "account": true, "room": room})
        );
        person
    }

    /// Enters a room, in which all that is said from now on is heard.
    pub(crate) async fn enter(site: &Site, room: &str, name: &str) -> Self {
        let mut person = Self::open(site, &format!("/ws/chat/{room}/?name={name}")).await;
        let welcome = person.next().await;
        assert_eq!((&welcome["type"], &welcome["name"]), (&json!("welcome"), &json!(name)));
        person
    }

    /// The status that refuses a handshake with this header.
    pub(crate) async fn refused(site: &Site, path: &str, header: Option<(&'static str, &str)>) -> StatusCode {
        let mut request = format!("ws://{}{path}", site.address).into_client_request().unwrap();
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        Self::refusal(request).await
    }

    /// The same for somebody with a cookie, from a page of the site.
    pub(crate) async fn refused_as(site: &Site, path: &str, cookie: &str) -> StatusCode {
        Self::refusal(Self::request_as(site, path, cookie)).await
    }

    async fn refusal(request: Request) -> StatusCode {
        match connect_async(request).await {
            Err(Error::Http(response)) => response.status(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.say(message.to_string()).await;
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.frame().await {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The next message as it is on the wire.
    pub(crate) async fn frame_as_it_is(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next message, without its time, which is checked to be now, and without what depends on who was there before.
    pub(crate) async fn next(&mut self) -> Value {
        let mut message = self.frame_as_it_is().await;
        let fields = message.as_object_mut().unwrap();
        if let Some(time) = fields.remove("time") {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
            assert!(now.abs_diff(time.as_u64().unwrap()) < 60_000, "{time} is not now, {now}");
        } else {
            assert_eq!(fields["type"], "error", "only errors have no time");
        }
        let rest: &[&str] = match fields["type"].as_str().unwrap() {
            "welcome" => &["present", "key"],
            "message" => &["id", "epoch"],
            _ => &[],
        };
        for field in rest {
            assert!(fields.remove(*field).is_some(), "{field} is there");
        }
        message
    }

    /// Asks for something, and reads up to the answer.
    pub(crate) async fn ask(&mut self, question: Value) -> Value {
        self.send(question).await;
        loop {
            let frame = self.frame_as_it_is().await;
            if frame["type"] == "history" || frame["type"] == "found" {
                return frame;
            }
        }
    }

    /// Says something and expects it as the very next message: nothing else came until now.
    pub(crate) async fn hears_only_itself(&mut self) {
        self.send(json!({"message": "only me"})).await;
        assert_eq!(self.next().await["message"], "only me");
    }

    /// The code and reason with which the server closes.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        match self.frame().await {
            Message::Close(Some(close)) => (close.code.into(), close.reason.as_str().to_owned()),
            other => panic!("not closed: {other:?}"),
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = tokio::time::timeout(PATIENCE, self.socket.next());
        frame.await.expect("a message within the time").expect("an open socket").unwrap()
    }
}
