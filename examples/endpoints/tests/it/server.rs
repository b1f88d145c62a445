use std::process::Command;
use std::time::Duration;

use programs::Child;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The example running as a program of its own, on a port that the system chose.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) child: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_endpoints"));
        let mut child = Child::start(command.args(["--bind", "127.0.0.1:0"]).args(flags));
        let address = child.line("listening on http://").trim_end_matches('/').to_owned();
        Self { address, child }
    }

    /// Connects a client of another make.
    pub(crate) async fn connect(&self, path: &str) -> Result<Client, Error> {
        let url = format!("ws://{}{path}", self.address);
        within(tokio_tungstenite::connect_async(url)).await.map(|(client, _)| client)
    }

    /// What a GET answers, head and body.
    pub(crate) async fn get(&self, path: &str) -> String {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        ask(stream, format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")).await
    }
}

/// Sends this and gives all that comes back until the server closes.
pub(crate) async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: impl AsRef<[u8]>,
) -> String {
    let mut answer = Vec::new();
    within(async {
        stream.write_all(request.as_ref()).await.unwrap();
        // A reset after the answer is the end as well.
        let _ = stream.read_to_end(&mut answer).await;
    })
    .await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Nothing in these tests takes this long.
pub(crate) async fn within<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("the server answers")
}
