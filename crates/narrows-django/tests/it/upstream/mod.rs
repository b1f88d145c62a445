//! The proxy, between a client that says any bytes and an upstream that does.

mod address;
mod bodies;
mod failures;
mod heads;
mod lengths;
mod site;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use narrows::Channels;
use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use narrows_django::Upstream;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use wire::Wire;

/// A site whose every request goes to an upstream, served until this is dropped.
struct Front {
    address: SocketAddr,
    _end: oneshot::Sender<()>,
}

impl Front {
    async fn of(upstream: Upstream) -> Self {
        Self::behind("", upstream).await
    }

    async fn behind(trusted_proxies: &str, upstream: Upstream) -> Self {
        let mut settings = Settings::default();
        settings.bind = vec!["127.0.0.1:0".to_owned()];
        settings.shards = 1;
        settings.drain_window = Duration::ZERO;
        settings.drain_timeout = Duration::from_secs(1);
        let trusted_proxies = trusted_proxies.parse().unwrap();
        let builder = Channels::builder().settings(&settings).unwrap();
        let channels = builder.trusted_proxies(trusted_proxies).build();
        let app = Router::new().fallback_service(upstream);
        let server = Server::new(app, &channels, &settings).listen().await.unwrap();
        let Address::Tcp(address) = server.addresses()[0] else { unreachable!("it is bound to TCP") };
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(server.run_until(async move {
            // Dropped or sent, it is the end.
            let _ = ended.await;
        }));
        Self { address, _end: end }
    }

    async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// Asks with these bytes, on a connection of its own.
    async fn ask(&self, request: &str) -> Wire {
        let mut wire = self.connect().await;
        wire.say(request).await;
        wire
    }
}

/// An upstream of which each byte is up to the test.
struct Raw(TcpListener);

impl Raw {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn upstream(&self) -> Upstream {
        Upstream::new(&format!("http://{}", self.0.local_addr().unwrap())).unwrap()
    }

    async fn accept(&self) -> Wire {
        Wire::new(wire::in_time(self.0.accept()).await.unwrap().0)
    }
}

/// The two of them.
async fn both() -> (Front, Raw) {
    let raw = Raw::start().await;
    (Front::of(raw.upstream()).await, raw)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: site\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
