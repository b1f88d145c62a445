//! Which Redis: what a site configures.

mod de;
mod error;
mod options;
mod tls;
mod url;

use std::fmt;
use std::path::PathBuf;

pub use error::ParseHostError;
pub use tls::Tls;
pub use url::parse_hosts;

/// One Redis: a server, a server found by sentinels, or a cluster.
///
/// A layer takes a list of them, which share its channels and groups; the order of the list is part of the protocol
/// of channels_redis.
///
/// ```
/// use narrows_redis::Host;
///
/// let host: Host = "redis://:secret@redis.example.org/2".parse()?;
/// assert_eq!(host, Host::new("redis.example.org", 6379).password("secret").db(2));
/// assert_eq!(host.to_string(), "redis://redis.example.org:6379/2");
/// # Ok::<(), narrows_redis::ParseHostError>(())
/// ```
///
/// # URLs
/// | URL | what it is |
/// |---|---|
/// | `redis://[user[:password]@]host[:6379][/db]` | a server; no host is `localhost` |
/// | `unix://[user[:password]@]/path[?db=0]` | a server behind a Unix socket |
/// | `redis+sentinel://[user[:password]@]host[:26379][,…]/master[/db]` | the server that sentinels call `master` |
/// | `redis+cluster://[user[:password]@]host[:6379][,…]` | a cluster, known by some of its nodes |
///
/// `rediss`, `rediss+sentinel` and `rediss+cluster` are the same over TLS. The options are those of redis-py: `db`,
/// `username`, `password`; over TLS `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs=none|required` and
/// `ssl_check_hostname=true|false`; with sentinels `sentinel_username` and `sentinel_password`. As there, `db` as an
/// option goes before the one in the path, and the user before the `@` goes before the one of the options.
/// In a password, `@ / ? # %` and a space are written `%40 %2F %3F %23 %25 %20`.
///
/// # Settings
/// In a file of settings (serde), it has the forms that channels_redis takes in `hosts`: a URL, `[host, port]`, or a
/// map with `address` (a URL, which goes before the other keys), with `host` and `port`, or with `sentinels`,
/// `master_name` and `sentinel_kwargs`; and with `db`, `username`, `password`, `ssl` and the options above.
#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    pub(crate) place: Place,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) db: i64,
    pub(crate) tls: Option<Tls>,
}

/// Where a [`Host`] is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
    Sentinel {
        sentinels: Vec<(String, u16)>,
        master: String,
        /// Of the sentinels, which have users of their own.
        username: Option<String>,
        password: Option<String>,
    },
    Cluster {
        seeds: Vec<(String, u16)>,
    },
}

pub(crate) const PORT: u16 = 6379;
pub(crate) const SENTINEL_PORT: u16 = 26379;

impl Host {
    /// A server on TCP.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self::at(Place::Tcp { host: host.into(), port })
    }

    /// A server behind a Unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::at(Place::Unix(path.into()))
    }

    /// The server that these sentinels – host and port, usually 26379 – call `master`.
    pub fn sentinel(
        sentinels: impl IntoIterator<Item = (impl Into<String>, u16)>,
        master: impl Into<String>,
    ) -> Self {
        let sentinels = sentinels.into_iter().map(|(host, port)| (host.into(), port)).collect();
        Self::at(Place::Sentinel { sentinels, master: master.into(), username: None, password: None })
    }

    /// A cluster, known by some of its nodes: host and port.
    pub fn cluster(seeds: impl IntoIterator<Item = (impl Into<String>, u16)>) -> Self {
        Self::at(Place::Cluster {
            seeds: seeds.into_iter().map(|(host, port)| (host.into(), port)).collect(),
        })
    }

    /// The number of the database, 0 unless told otherwise. A cluster has no other.
    #[must_use]
    pub fn db(mut self, db: i64) -> Self {
        self.db = db;
        self
    }

    /// The user; without one it is Redis' `default`.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The user's password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The user and password that the sentinels want, which are not those of the servers. Without sentinels it means
    /// nothing.
    #[must_use]
    pub fn sentinel_login(mut self, user: Option<String>, secret: Option<String>) -> Self {
        if let Place::Sentinel { username, password, .. } = &mut self.place {
            (*username, *password) = (user, secret);
        }
        self
    }

    /// Connects over TLS. A Unix socket has none.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What no Redis can be: texts and settings are checked as they are read, a host made in code when it is used.
    pub(crate) fn check(&self) -> Result<(), ParseHostError> {
        match &self.place {
            Place::Unix(path) if path.as_os_str().is_empty() => return Err(ParseHostError::NoPath),
            Place::Unix(_) if self.tls.is_some() => return Err(ParseHostError::TlsOnUnix),
            Place::Sentinel { master, .. } if master.is_empty() => return Err(ParseHostError::NoMaster),
            Place::Cluster { .. } if self.db != 0 => return Err(ParseHostError::ClusterDb { db: self.db }),
            _ => {}
        }
        let addresses = self.place.addresses();
        let is_unix = matches!(self.place, Place::Unix(_));
        if !is_unix && addresses.is_empty() || addresses.iter().any(|(host, _)| host.is_empty()) {
            return Err(ParseHostError::NoHost);
        }
        if addresses.iter().any(|(_, port)| *port == 0) {
            return Err(ParseHostError::Port { port: "0".to_owned() });
        }
        if self.db < 0 {
            return Err(ParseHostError::Db { db: self.db.to_string() });
        }
        if self.tls.as_ref().is_some_and(|tls| tls.key.is_some() && tls.cert.is_none()) {
            return Err(ParseHostError::KeyWithoutCert);
        }
        Ok(())
    }

    fn at(place: Place) -> Self {
        Self { place, username: None, password: None, db: 0, tls: None }
    }
}

impl Default for Host {
    /// `redis://localhost:6379`, as in channels_redis.
    fn default() -> Self {
        Self::new("localhost", PORT)
    }
}

/// The URL, without user and password.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.tls.is_some() { "s" } else { "" };
        match &self.place {
            Place::Tcp { .. } => write!(f, "redis{s}://{}", self.place)?,
            Place::Unix(_) => write!(f, "unix://{}", self.place)?,
            Place::Sentinel { .. } => write!(f, "redis{s}+sentinel://{}", self.place)?,
            Place::Cluster { .. } => write!(f, "redis{s}+cluster://{}", self.place)?,
        }
        match (&self.place, self.db) {
            (_, 0) => Ok(()),
            (Place::Unix(_), db) => write!(f, "?db={db}"),
            (_, db) => write!(f, "/{db}"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("place", &self.place)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("db", &self.db)
            .field("tls", &self.tls)
            .finish()
    }
}

impl Place {
    fn addresses(&self) -> Vec<(&str, u16)> {
        match self {
            Self::Tcp { host, port } => vec![(host, *port)],
            Self::Unix(_) => Vec::new(),
            Self::Sentinel { sentinels: list, .. } | Self::Cluster { seeds: list } => {
                list.iter().map(|(host, port)| (host.as_str(), *port)).collect()
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (host, port)) in self.addresses().into_iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            if host.contains(':') {
                write!(f, "{comma}[{host}]:{port}")?;
            } else {
                write!(f, "{comma}{host}:{port}")?;
            }
        }
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Sentinel { master, .. } => write!(f, "/{master}"),
            Self::Tcp { .. } | Self::Cluster { .. } => Ok(()),
        }
    }
}

/// As [`Display`](fmt::Display): the password of sentinels is not to be seen.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests;
