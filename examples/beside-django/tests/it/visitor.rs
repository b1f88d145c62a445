use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::site::{PASSWORD, Site};

/// How long an answer may take before a test fails; an event is awaited, not this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody with cookies, as a browser keeps them.
pub(crate) struct Visitor {
    address: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn new(site: &Site) -> Self {
        Self { address: site.address.clone(), cookies: BTreeMap::new() }
    }

    /// Logs in by Django's form.
    pub(crate) async fn log_in(site: &Site, name: &str) -> Self {
        let mut visitor = Self::new(site);
        visitor.get("/accounts/login/").await;
        let answer = visitor
            .post("/accounts/login/", &[("username", name), ("password", PASSWORD), ("next", "/")])
            .await;
        assert_eq!((answer.status, answer.header("location")), (302, "/"), "{}", answer.body);
        visitor
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    /// Sends a form of a page of the site.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.address);
        self.post_from(&origin, path, fields).await
    }

    /// Sends a form of a page of any site.
    pub(crate) async fn post_from(&mut self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.cookies.get("csrftoken").cloned().unwrap_or_default();
        let mut form = format!("csrfmiddlewaretoken={token}");
        for (name, value) in fields {
            write!(form, "&{name}=").unwrap();
            for byte in value.bytes() {
                write!(form, "%{byte:02x}").unwrap();
            }
        }
        let headers = format!("content-type: application/x-www-form-urlencoded\r\norigin: {origin}\r\n");
        self.ask("POST", path, &headers, &form).await
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let (host, cookies, length) = (&self.address, self.cookie(), body.len());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\ncookie: {cookies}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = Answer::read(&String::from_utf8_lossy(&answer));
        for cookie in answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value) {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Opens the board's socket, or gives the status that refuses it.
    pub(crate) async fn socket(&self) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/ws/board/", self.address).into_client_request().unwrap();
        request.headers_mut().insert("cookie", self.cookie().parse().unwrap());
        request.headers_mut().insert("origin", format!("http://{}", self.address).parse().unwrap());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(response)) => Err(response.status().into()),
            Err(error) => panic!("neither open nor refused: {error}"),
        }
    }

    /// Opens the board's socket and reads its welcome, behind which nothing is missed.
    pub(crate) async fn live(&self) -> Socket {
        let mut socket = self.socket().await.unwrap();
        assert_eq!(socket.next().await["type"], "welcome");
        // What it says comes back when it is in the group.
        socket.say("here").await;
        while socket.next().await["text"] != "here" {}
        socket
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// An open page's socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn next(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(text.as_str()).unwrap(),
            other => panic!("not a message: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(json!({"text": text}).to_string())).await.unwrap();
    }

    /// The code with which the server closes, after whatever it says before.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(Some(close)) = self.frame().await {
                return close.code.into();
            }
        }
    }

    async fn frame(&mut self) -> Message {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next());
            match frame.await.expect("a message within the time").expect("an open socket").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}
