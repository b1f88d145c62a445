use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::Redis;

/// A network link to a Redis that a test can break.
///
/// ```
/// let Some(redis) = rig::Redis::start() else { return };
/// let proxy = rig::Proxy::to(&redis);
/// let mut client = rig::Connection::to_port(proxy.port()).unwrap();
/// assert!(client.command(&["PING"]).is_ok());
/// proxy.cut();
/// assert!(client.command(&["PING"]).is_err());
/// ```
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    url: String,
    counts: Arc<Counts>,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// What passed over a link, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// From the clients.
    pub to_server: u64,
    /// From Redis.
    pub to_clients: u64,
}

impl Proxy {
    /// A link to this Redis, which may be restarted behind it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn to(redis: &Redis) -> Self {
        let mut proxy = Self::to_port(redis.port());
        proxy.url = redis.url_at(proxy.port);
        proxy
    }

    /// A link to whatever listens on this port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn to_port(target: u16) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        listener.set_nonblocking(true).expect("a socket can be told not to block");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let (orders, ordered) = mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let link = Link { target: (Ipv4Addr::LOCALHOST, target).into(), counts: Arc::clone(&counts) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for a proxy: {error}"));
        let thread = std::thread::spawn(move || runtime.block_on(link.run(listener, ordered)));
        Self { port, url: format!("redis://127.0.0.1:{port}/"), counts, orders, thread: Some(thread) }
    }

    /// How clients reach the Redis over this link, with its password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port on 127.0.0.1 that clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets all connections, both ways, and each new one at once, until [`mend`](Self::mend).
    pub fn cut(&self) {
        self.order(State::Cut);
    }

    /// Resets all connections, both ways; new ones pass.
    pub fn reset(&self) {
        self.order(State::Cut);
        self.order(State::Whole);
    }

    /// Keeps connections open, takes new ones, and passes nothing until [`mend`](Self::mend), as a network does that
    /// loses all packets. What is held up then passes.
    pub fn blackhole(&self) {
        self.order(State::Blackhole);
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.order(State::Whole);
    }

    /// How many bytes have passed since the start.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Bytes { to_server: read(&self.counts.to_server), to_clients: read(&self.counts.to_clients) }
    }

    /// How many connections clients have made since the start, those too that were reset at once.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// Returns when the link is in the new state.
    fn order(&self, state: State) {
        let (done, is_done) = std::sync::mpsc::channel();
        let sent = self.orders.send(Order { state, done });
        assert!(sent.is_ok() && is_done.recv().is_ok(), "the proxy has ended");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its thread ends when nobody can give orders any more.
        self.orders = mpsc::unbounded_channel().0;
        if let Some(thread) = self.thread.take() {
            // When it panicked, its message was printed then.
            let _ = thread.join();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    Blackhole,
    Cut,
}

#[derive(Debug)]
struct Order {
    state: State,
    done: std::sync::mpsc::Sender<()>,
}

#[derive(Debug, Default)]
struct Counts {
    to_server: AtomicU64,
    to_clients: AtomicU64,
    connections: AtomicU64,
}

/// All of it runs on one thread: no byte passes between an order and the next look at the state.
#[derive(Clone, Debug)]
struct Link {
    target: SocketAddr,
    counts: Arc<Counts>,
}

impl Link {
    async fn run(self, listener: std::net::TcpListener, mut orders: mpsc::UnboundedReceiver<Order>) {
        let listener = TcpListener::from_std(listener).expect("the listener does not block");
        let (state, _) = watch::channel(State::Whole);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(Order { state: wanted, done }) = order else { return };
                    state.send_replace(wanted);
                    if wanted == State::Cut {
                        // Each drops its two sockets, which resets them.
                        connections.shutdown().await;
                    }
                    // Nobody waits when the test has panicked meanwhile.
                    let _ = done.send(());
                }
                client = listener.accept() => {
                    let Ok((client, _)) = client else { continue };
                    self.counts.connections.fetch_add(1, Ordering::Relaxed);
                    drop_resets(&client, true);
                    if *state.borrow() != State::Cut {
                        connections.spawn(self.clone().carry(client, state.subscribe()));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Carries bytes both ways until both sides have ended, or one breaks.
    async fn carry(self, client: TcpStream, mut state: watch::Receiver<State>) {
        whole(&mut state).await;
        let Ok(server) = TcpStream::connect(self.target).await else { return };
        drop_resets(&server, true);
        let (up, down) = (&self.counts.to_server, &self.counts.to_clients);
        let there = pass(&client, &server, state.clone(), up);
        let back = pass(&server, &client, state, down);
        if tokio::try_join!(there, back).is_ok() {
            drop_resets(&client, false);
            drop_resets(&server, false);
        }
    }
}

/// Passes bytes one way, up to the end of the stream.
async fn pass(
    from: &TcpStream,
    to: &TcpStream,
    mut state: watch::Receiver<State>,
    count: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        from.readable().await?;
        let length = match from.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            length => length?,
        };
        whole(&mut state).await;
        if length == 0 {
            return SockRef::from(to).shutdown(Shutdown::Write);
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            to.writable().await?;
            // The link may have changed while the socket was full.
            whole(&mut state).await;
            match to.try_write(rest) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    let written = written?;
                    count.fetch_add(written as u64, Ordering::Relaxed);
                    rest = &rest[written..];
                }
            }
        }
    }
}

async fn whole(state: &mut watch::Receiver<State>) {
    // It fails when the proxy ends, which ends this task too.
    let _ = state.wait_for(|state| *state == State::Whole).await;
}

/// Whether dropping the socket resets the connection, or ends it in good order.
fn drop_resets(socket: &TcpStream, resets: bool) {
    let linger = resets.then_some(Duration::ZERO);
    // It fails only for a socket that is broken already.
    let _ = SockRef::from(socket).set_linger(linger);
}
