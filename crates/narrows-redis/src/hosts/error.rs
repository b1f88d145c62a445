/// Why a text or a setting is no Redis [`Host`](crate::Host). No password is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseHostError {
    /// It has no scheme.
    #[error("a Redis host is a URL such as redis://localhost:6379")]
    NotAUrl,
    /// The scheme is of something else.
    #[error(
        "{scheme}:// is no scheme of Redis; use redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster or \
         rediss+cluster"
    )]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A character with a meaning in URLs stands where it has none.
    #[error(
        "an @ or a # stands where it has no meaning; in a user, password or option, write @ / ? # % and a space as \
         %40 %2F %3F %23 %25 %20"
    )]
    Unescaped,
    /// Decoded from `%`, it is no text.
    #[error("the {part} of the URL is not UTF-8")]
    NotUtf8 {
        /// Which part.
        part: &'static str,
    },
    /// No host is given, or an empty one in a list.
    #[error("a host is missing")]
    NoHost,
    /// It is no host name and no IP address.
    #[error("{host:?} is no host; an IPv6 address stands in brackets, as in [::1]:6379")]
    Host {
        /// What was given.
        host: String,
    },
    /// A list of hosts where there can be one only.
    #[error(
        "one URL is for one host; give several URLs, or a list to redis+cluster:// or redis+sentinel:// if it is one"
    )]
    SeveralHosts,
    /// It is no port.
    #[error("the port {port:?} is not a number from 1 to 65535")]
    Port {
        /// What was given.
        port: String,
    },
    /// It is no database.
    #[error("the database {db:?} is not a number from 0 up")]
    Db {
        /// What was given.
        db: String,
    },
    /// A cluster with a database of its own.
    #[error("a cluster has no database {db}, only 0")]
    ClusterDb {
        /// What was given.
        db: i64,
    },
    /// A path that says nothing.
    #[error("the path {path:?} is too long: behind the host stands {allowed}")]
    Path {
        /// What was given.
        path: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A Unix socket without a path.
    #[error("a Unix socket is given by its path, as in unix:///run/redis.sock")]
    NoPath,
    /// A Unix socket over TLS.
    #[error("a Unix socket has no TLS")]
    TlsOnUnix,
    /// Sentinels without the name of what they watch.
    #[error("the name of the sentinels' master is missing, as in redis+sentinel://host/mymaster")]
    NoMaster,
    /// An option that is unknown, or not for this kind of host.
    #[error("there is no option {name:?} here; use {allowed}")]
    UnknownOption {
        /// What was given.
        name: String,
        /// What there is.
        allowed: &'static str,
    },
    /// An option that is given more than once.
    #[error("the option {name} is given twice")]
    Twice {
        /// Which.
        name: String,
    },
    /// An option with a value that it cannot have.
    #[error("the option {name} is {value:?}; use {allowed}")]
    Value {
        /// Which.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// An option of TLS where there is none.
    #[error("the option {name} is for TLS; use rediss:// or ssl")]
    NeedsTls {
        /// Which.
        name: &'static str,
    },
    /// A key for TLS without its certificate.
    #[error("ssl_keyfile needs ssl_certfile")]
    KeyWithoutCert,
    /// Two settings say different things.
    #[error("{first} and {second} exclude each other")]
    Conflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A setting that means nothing without another.
    #[error("{setting} needs {needs}")]
    Needs {
        /// The setting.
        setting: &'static str,
        /// The one that is missing.
        needs: &'static str,
    },
}
