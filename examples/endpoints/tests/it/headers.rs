use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::net::{TcpStream, UnixStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use crate::server::{Server, within};

fn request() -> Request {
    let mut request = "ws://test/ws/headers/?a=1&b=%20".into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.append("cookie", "theme=dark; id=\"7\"".parse().unwrap());
    headers.append("x-two", "1".parse().unwrap());
    headers.append("X-Two", "2".parse().unwrap());
    headers.append("x-forwarded-for", "192.0.2.7".parse().unwrap());
    headers.append("x-forwarded-proto", "https".parse().unwrap());
    request
}

/// The first message of the endpoint.
async fn facts(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) -> Value {
    let (mut socket, _) = within(client_async(request(), stream)).await.unwrap();
    let first = within(socket.next()).await.unwrap().unwrap();
    serde_json::from_str(first.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn the_first_message_tells_what_the_handshake_was() {
    let server = Server::start();
    let stream = TcpStream::connect(&server.address).await.unwrap();
    let client = stream.local_addr().unwrap().to_string();
    let facts = facts(stream).await;
    assert_eq!(facts["client"], client);
    assert_eq!(facts["scheme"], "ws");
    assert_eq!(facts["path"], "/ws/headers/");
    assert_eq!(facts["query"], "a=1&b=%20");
    assert_eq!(facts["cookies"], json!({ "theme": "dark", "id": "7" }));
    assert_eq!(facts["headers"]["x-two"], "1, 2");
    assert_eq!(facts.as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn a_proxy_is_believed_where_the_settings_name_it() {
    let server = Server::with(&["--trusted-proxies", "127.0.0.1"]);
    let facts = facts(TcpStream::connect(&server.address).await.unwrap()).await;
    assert_eq!((&facts["client"], &facts["scheme"]), (&json!("192.0.2.7"), &json!("wss")));
}

#[tokio::test]
async fn on_a_unix_socket_there_is_no_client_unless_the_proxy_says_one() {
    for (trusted, client) in [("127.0.0.1", Value::Null), ("unix", json!("192.0.2.7"))] {
        let path = std::env::temp_dir().join(format!("headers-{}-{trusted}", std::process::id()));
        let mut server = Server::with(&["--unix", path.to_str().unwrap(), "--trusted-proxies", trusted]);
        server.child.line("listening on unix:");
        assert_eq!(facts(UnixStream::connect(&path).await.unwrap()).await["client"], client);
    }
}
