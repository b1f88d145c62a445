use std::fmt::Write;
use std::path::Path;

use super::{CONTROL, Redis};
use crate::tls::Certificates;

/// How a [`Redis`] is to run; by default without a password, without TLS and without anything on disk.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    pub(crate) password: Option<String>,
    pub(crate) socket_only: bool,
    pub(crate) tls: bool,
    lines: Vec<String>,
}

impl RedisOptions {
    /// What the default user has to say (`requirepass`); [`Redis::url`] holds it.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.config("requirepass", &quoted(password))
    }

    /// A further user, with Redis' rules, such as `"~asgi* &asgi* +@all"`; [`Redis::url_as`] is its URL.
    #[must_use]
    pub fn acl_user(mut self, name: &str, password: &str, rules: &str) -> Self {
        self.lines.push(format!("user {name} on {} {rules}", quoted(&format!(">{password}"))));
        self
    }

    /// Listen on a Unix socket and on no port: [`Redis::url`] names the [socket](Redis::socket_path).
    #[must_use]
    pub fn unix_socket(mut self) -> Self {
        self.socket_only = true;
        self
    }

    /// Speak TLS on the port, with a certificate of an [authority of its own](Redis::ca_path).
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// How many numbered databases there are; 16 otherwise.
    #[must_use]
    pub fn databases(self, count: u32) -> Self {
        self.config("databases", &count.to_string())
    }

    /// How much memory it may use, and what it does then, such as `"noeviction"` or `"allkeys-lru"`.
    #[must_use]
    pub fn maxmemory(self, bytes: u64, policy: &str) -> Self {
        self.config("maxmemory", &bytes.to_string()).config("maxmemory-policy", policy)
    }

    /// Keep all on disk, each write at once, so that it outlives [`Redis::kill`].
    #[must_use]
    pub fn append_only(self) -> Self {
        self.config("appendonly", "yes").config("appendfsync", "always")
    }

    /// A line of `redis.conf`; an empty value is written as `""`.
    #[must_use]
    pub fn config(mut self, key: &str, value: &str) -> Self {
        self.lines.push(format!("{key} {}", if value.is_empty() { "\"\"" } else { value }));
        self
    }

    /// Starts the server, and returns when it answers; `None` where there is no `redis-server`.
    ///
    /// # Panics
    ///
    /// When it does not start, with the end of its log; when it is missing and [`programs::required`].
    #[must_use]
    pub fn start(self) -> Option<Redis> {
        Redis::start_with(self)
    }

    /// As one of several servers that copy each other's data.
    pub(crate) fn replicated(self) -> Self {
        let password = self.password.clone();
        // Nobody else is to come, for whom a master would wait before it sends its data.
        // What a replica has read, and so that it is there, is known from the first ping on.
        let this = self.config("repl-diskless-sync-delay", "0").config("repl-ping-replica-period", "1");
        match password {
            Some(password) => this.config("masterauth", &quoted(&password)),
            None => this,
        }
    }

    /// The text of `redis.conf` for a server on this port, in this folder.
    pub(crate) fn conf(&self, port: u16, folder: &Path, tls: Option<&Certificates>) -> String {
        let folder = folder.display();
        let mut conf = format!(
            "bind 127.0.0.1\ndir {folder}\nlogfile {folder}/redis.log\nunixsocket {folder}/redis.sock\n\
             save \"\"\nappendonly no\nenable-debug-command yes\n\
             user {CONTROL} on >{CONTROL} ~* &* +@all\n"
        );
        let line = |conf: &mut String, line: &str| {
            writeln!(conf, "{line}").expect("a string takes all text");
        };
        match tls {
            _ if self.socket_only => line(&mut conf, "port 0"),
            None => line(&mut conf, &format!("port {port}")),
            Some(files) => {
                line(&mut conf, &format!("port 0\ntls-port {port}\ntls-auth-clients no"));
                line(&mut conf, &format!("tls-ca-cert-file {}", files.ca.display()));
                line(&mut conf, &format!("tls-cert-file {}", files.certificate.display()));
                line(&mut conf, &format!("tls-key-file {}", files.key.display()));
            }
        }
        self.lines.iter().for_each(|text| line(&mut conf, text));
        conf
    }
}

/// As one word of `redis.conf`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
