use std::error::Error;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::{Extension, Router};
use clap::Args;
use narrows::testing::TestServer;
use narrows::{Close, Connection, Consumer, Raw, Reject};

use crate::{Event, LayerOptions, group};

#[derive(Debug, Args)]
pub(crate) struct Receive {
    #[command(flatten)]
    layer: LayerOptions,
    /// How many connections listen.
    #[arg(long)]
    receivers: u64,
}

/// How many events came to all receivers together, and who is told.
struct Tally {
    receivers: u64,
    events: AtomicU64,
    publisher: OnceLock<TcpStream>,
}

/// A connection that listens: each event is decoded for it alone and handed to its own code.
struct Listener(Arc<Tally>);

impl Receive {
    pub(crate) async fn run(self) -> Result<(), Box<dyn Error>> {
        let events = AtomicU64::new(0);
        let tally = Arc::new(Tally { receivers: self.receivers, events, publisher: OnceLock::new() });
        let channels = self.layer.channels()?;
        let route = channels.consumer::<Listener>().route();
        let server = TestServer::new(Router::new().route("/", route).layer(Extension(Arc::clone(&tally))));
        let mut clients = Vec::new();
        for _ in 0..self.receivers {
            clients.push(server.connect("/").await);
        }
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        println!("listening on http://{}/", door.local_addr()?);
        // Apart from the runtime, which goes on to drive the connections.
        let (mut publisher, _) = tokio::task::spawn_blocking(move || door.accept()).await??;
        publisher.set_nodelay(true)?;
        publisher.write_all(b".")?;
        tally.publisher.set(publisher).expect("this is the only place where it is set");
        std::future::pending().await
    }
}

impl Tally {
    fn count(&self) -> Result<(), std::io::Error> {
        let events = self.events.fetch_add(1, Ordering::Relaxed) + 1;
        match self.publisher.get() {
            Some(mut publisher) if events.is_multiple_of(self.receivers) => publisher.write_all(b"."),
            _ => Ok(()),
        }
    }
}

impl Consumer for Listener {
    type Scope = Extension<Arc<Tally>>;
    type In = Raw;
    type Out = Raw;
    type Event = Event;

    async fn connect(Extension(tally): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen(&group()?).await?;
        Ok(Self(tally))
    }

    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }

    async fn event(
        &mut self,
        Event::Message { message }: Event,
        _: &mut Connection<Self>,
    ) -> Result<(), Close> {
        // It was made for this receiver, as a handler would have it.
        std::hint::black_box(message);
        Ok(self.0.count()?)
    }
}
