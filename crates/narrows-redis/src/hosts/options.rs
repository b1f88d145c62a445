use std::path::PathBuf;

use super::{Host, ParseHostError, Place, Tls};

/// What stands beside the place of a host, with what was not given.
#[derive(Default)]
pub(super) struct Options {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) db: Option<i64>,
    pub(super) ssl: Option<bool>,
    pub(super) ssl_ca_certs: Option<PathBuf>,
    pub(super) ssl_certfile: Option<PathBuf>,
    pub(super) ssl_keyfile: Option<PathBuf>,
    pub(super) verify: Option<bool>,
    pub(super) ssl_check_hostname: Option<bool>,
}

impl Options {
    /// What is not given here is as given there.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            username: self.username.or(other.username),
            password: self.password.or(other.password),
            db: self.db.or(other.db),
            ssl: self.ssl.or(other.ssl),
            ssl_ca_certs: self.ssl_ca_certs.or(other.ssl_ca_certs),
            ssl_certfile: self.ssl_certfile.or(other.ssl_certfile),
            ssl_keyfile: self.ssl_keyfile.or(other.ssl_keyfile),
            verify: self.verify.or(other.verify),
            ssl_check_hostname: self.ssl_check_hostname.or(other.ssl_check_hostname),
        }
    }

    pub(super) fn host(self, place: Place) -> Result<Host, ParseHostError> {
        let of_tls = [
            ("ssl_ca_certs", self.ssl_ca_certs.is_some()),
            ("ssl_certfile", self.ssl_certfile.is_some()),
            ("ssl_keyfile", self.ssl_keyfile.is_some()),
            ("ssl_cert_reqs", self.verify.is_some()),
            ("ssl_check_hostname", self.ssl_check_hostname.is_some()),
        ];
        let tls = if self.ssl == Some(true) {
            Some(Tls {
                ca: self.ssl_ca_certs,
                cert: self.ssl_certfile,
                key: self.ssl_keyfile,
                verify: self.verify.unwrap_or(true),
                check_hostname: self.ssl_check_hostname.unwrap_or(true),
            })
        } else if let Some((name, _)) = of_tls.into_iter().find(|(_, given)| *given) {
            return Err(ParseHostError::NeedsTls { name });
        } else {
            None
        };
        let host =
            Host { place, username: self.username, password: self.password, db: self.db.unwrap_or(0), tls };
        host.check()?;
        Ok(host)
    }
}

/// The values of redis-py's `ssl_cert_reqs`.
pub(super) fn cert_reqs(value: &str) -> Result<bool, ParseHostError> {
    match value.to_ascii_lowercase().as_str() {
        "required" => Ok(true),
        "none" => Ok(false),
        _ => Err(ParseHostError::Value {
            name: "ssl_cert_reqs",
            value: value.to_owned(),
            allowed: "none or required",
        }),
    }
}
