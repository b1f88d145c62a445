use std::time::Duration;

/// What one connection may cost, and how long anything may take.
///
/// ```
/// use std::time::Duration;
/// use narrows::Limits;
///
/// let limits = Limits::default().max_message_bytes(64 * 1024).ping_interval(Duration::from_secs(10));
/// assert_eq!(limits.max_message_bytes, 65_536);
/// ```
///
/// Every field has a default that is safe on the open internet. A [`Duration::ZERO`] or a count of `0`
/// switches a limit off where its line says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest message a client may send, in bytes, all its fragments together. Default 1 MiB.
    pub max_message_bytes: usize,
    /// Largest single frame a client may send, in bytes. Default 1 MiB.
    pub max_frame_bytes: usize,
    /// Most fragments a message may come in. Default 4096: tiny fragments cost more than their bytes.
    pub max_fragments: usize,
    /// How long a consumer's extractors, and then the consumer itself, may take to answer the handshake.
    /// Default 5 s, then the client gets a 503.
    pub connect_timeout: Duration,
    /// Silence after which the server sends a ping. Default 25 s, below the 30–60 s after which common
    /// proxies cut an idle connection. Zero switches pings off.
    pub ping_interval: Duration,
    /// How long the answer to a ping may take. Default 20 s, then the connection counts as lost.
    pub ping_timeout: Duration,
    /// Time without a message from the client after which it is closed (code 1000). Zero, the default, never.
    pub idle_timeout: Duration,
    /// How long the client may take to answer our close frame. Default 2 s, then TCP is cut.
    pub close_timeout: Duration,
    /// How long a socket may stay full before its client counts as a slow consumer. Default 30 s.
    pub write_timeout: Duration,
    /// How long a consumer's `disconnect` may take. Default 10 s, then it is dropped where it stands.
    pub disconnect_timeout: Duration,
    /// How long one call of a consumer's code may hold its shard up, and with it all connections there. Default
    /// 100 ms, then it is counted in [`Stats::long_handlers`](crate::Stats::long_handlers) and named in the log; to
    /// wait in an `await` holds nothing up. Taken from a clock that is exact to 10 ms. Zero switches it off, and
    /// where it is zero on [`Channels`](crate::Channels) the watch over stalled shards too.
    pub long_handler: Duration,
    /// WebSocket connections in all. Default 0: as many as the machine holds.
    pub max_connections: usize,
    /// WebSocket connections from one address. Default 0: no limit, as behind a proxy or NAT all clients
    /// may share one.
    pub max_connections_per_address: usize,
    /// Groups one connection may be in. Default 128.
    pub max_groups: usize,
    /// In how many groups' presence one connection may be. Default 16: each costs its store about 300 bytes, a write when
    /// it comes and one when it goes, and every other member a line of a message.
    pub max_tracked: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 1 << 20,
            max_frame_bytes: 1 << 20,
            max_fragments: 4096,
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            idle_timeout: Duration::ZERO,
            close_timeout: Duration::from_secs(2),
            write_timeout: Duration::from_secs(30),
            disconnect_timeout: Duration::from_secs(10),
            long_handler: Duration::from_millis(100),
            max_connections: 0,
            max_connections_per_address: 0,
            max_groups: 128,
            max_tracked: 16,
        }
    }
}

macro_rules! setters {
    ($($name:ident: $ty:ty),+ $(,)?) => {
        // A macro, as fifteen setters of one line each would hide the defaults above.
        impl Limits {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
                #[must_use]
                pub fn $name(mut self, $name: $ty) -> Self {
                    self.$name = $name;
                    self
                }
            )+
        }
    };
}

setters! {
    max_message_bytes: usize, max_frame_bytes: usize, max_fragments: usize, connect_timeout: Duration,
    ping_interval: Duration, ping_timeout: Duration, idle_timeout: Duration, close_timeout: Duration,
    write_timeout: Duration, disconnect_timeout: Duration, long_handler: Duration,
    max_connections: usize, max_connections_per_address: usize, max_groups: usize, max_tracked: usize,
}
