//! The settings of a server program, from its defaults, a TOML file, the environment and its flags.
//!
//! ```
//! use narrows::serve::settings::{Command, Program, Settings};
//!
//! let program = Program::new("chat", "1.0.0");
//! let environment = [("NARROWS_PING_INTERVAL", "10s")];
//! let Command::Run(loaded) = Settings::load(&program, ["--bind", "0.0.0.0:80"], environment)? else {
//!     return Ok(()); // --help and the like: a text to print
//! };
//! assert_eq!(loaded.settings.bind, ["0.0.0.0:80"]);
//! assert_eq!(loaded.settings.limits().ping_interval.as_secs(), 10);
//! # Ok::<(), narrows::serve::settings::SettingsError>(())
//! ```
//!
//! One table says everything about a setting: its name, what it accepts, its default, what it is for. The
//! help, the printed configuration, the documentation and the parsing are read off that table, and a program
//! adds its own rows to it ([`Program::setting`]).

mod check;
mod error;
mod file;
mod flags;
mod layer;
mod loaded;
mod nearest;
mod program;
mod render;
mod secret;
mod setting;
mod source;
mod table;
mod units;
mod value;

use std::path::PathBuf;
use std::time::Duration;

use crate::Limits;

pub use error::SettingsError;
pub use loaded::{Command, Loaded};
pub use program::Program;
pub use render::markdown;
pub use secret::Secret;
pub use setting::Setting;
pub use source::Source;

/// Everything that a server program can be told from outside.
///
/// ```
/// let settings = narrows::serve::settings::Settings::default();
/// assert_eq!(settings.bind, ["127.0.0.1:8000"]);
/// ```
///
/// [`Settings::load`] fills it from the outside; a program that reads its configuration by other means starts
/// from the default and sets fields. A duration of zero means *off* where the field says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Addresses to listen on, `host:port` each. Default `127.0.0.1:8000`; empty when nothing was asked for
    /// but `unix` or `inherit`.
    pub bind: Vec<String>,
    /// Unix sockets to listen on. Default none.
    pub unix: Vec<PathBuf>,
    /// Whether to take over the sockets that the parent process opened (`LISTEN_FDS`). Default no.
    pub inherit: bool,
    /// Shards to run, each with its own thread. Default 0: one for each core.
    pub shards: usize,
    /// What one connection may cost.
    pub limits: Limits,
    /// How long a client may take to send its request's head, and to begin its next one. Default 10 s; zero is
    /// off.
    pub header_timeout: Duration,
    /// Largest request head, in bytes. Default 16 KiB; at least 8 KiB, which is what the HTTP parser reads.
    pub max_header_bytes: usize,
    /// Most header fields of a request. Default 100.
    pub max_headers: usize,
    /// Proxies whose word about the client counts: addresses, networks, `unix`. Default none.
    pub trusted_proxies: Vec<String>,
    /// The path under which a proxy shows this site, such as `/chat`. Default none.
    pub root_path: String,
    /// Bytes that may wait for one slow client. Default 1 MiB.
    pub outbox_bytes: usize,
    /// Bytes that the kernel may hold for one client and has not yet sent; what comes then waits in the outbox,
    /// where it can still be dropped or replaced. Default 128 KiB; 0 leaves it to the kernel, which may hold
    /// megabytes for each. TCP only, on Linux (`TCP_NOTSENT_LOWAT`), elsewhere without effect.
    pub unsent_bytes: usize,
    /// Messages that may wait for one slow client. Default 4096.
    pub outbox_messages: usize,
    /// How often the identities of connections are checked. Default 60 s; zero is never.
    pub identity_check_period: Duration,
    /// How long after its last sign of life a node counts as dead, and its connections leave the presence of their groups.
    pub presence_lease: Duration,
    /// How often the members of a group's presence are told of changes.
    pub presence_period: Duration,
    /// For how long clients may come back after a lost connection, and go on. Default 120 s; zero is not at all.
    pub resume_window: Duration,
    /// What seals their tokens; see [`ChannelsBuilder::secret_key`](crate::ChannelsBuilder::secret_key). Default none:
    /// one that only this process knows.
    pub secret_key: Secret<String>,
    /// What sealed tokens before that. Default none.
    pub secret_key_fallbacks: Secret<Vec<String>>,
    /// Origins whose pages may open sockets: `same`, `any`, or a list. Default `same`.
    pub origins: Vec<String>,
    /// What becomes of a handshake without an origin: `allow`, `no-cookies` or `refuse`. Default `no-cookies`.
    pub missing_origin: String,
    /// How long readiness already fails before the server stops accepting. Default zero.
    pub drain_delay: Duration,
    /// The time over which the closes of a shutdown are spread. Default 5 s.
    pub drain_window: Duration,
    /// How long a shutdown may take in all. Default 30 s.
    pub drain_timeout: Duration,
    /// Filter for the log, in the syntax of `tracing`. Default `info`.
    pub log: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: vec!["127.0.0.1:8000".to_owned()],
            unix: Vec::new(),
            inherit: false,
            shards: 0,
            limits: Limits::default(),
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 16 * 1024,
            max_headers: 100,
            trusted_proxies: Vec::new(),
            root_path: String::new(),
            outbox_bytes: 1 << 20,
            unsent_bytes: 128 << 10,
            outbox_messages: 4096,
            identity_check_period: Duration::from_secs(60),
            presence_lease: Duration::from_secs(30),
            presence_period: Duration::from_secs(1),
            resume_window: Duration::from_secs(120),
            secret_key: Secret::default(),
            secret_key_fallbacks: Secret::default(),
            origins: vec!["same".to_owned()],
            missing_origin: "no-cookies".to_owned(),
            drain_delay: Duration::ZERO,
            drain_window: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(30),
            log: "info".to_owned(),
        }
    }
}

impl Settings {
    /// The limits of a connection, to hand to the channels.
    ///
    /// ```
    /// # use narrows::serve::settings::Settings;
    /// assert_eq!(Settings::default().limits(), narrows::Limits::default());
    /// ```
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits.clone()
    }
}
