use std::path::PathBuf;

/// How a connection over TLS is made. Files are PEM.
///
/// ```
/// use narrows_redis::{Host, Tls};
///
/// let host = Host::new("redis.example.org", 6380).tls(Tls::new().ca("/etc/redis/ca.pem"));
/// assert_eq!(host, "rediss://redis.example.org:6380?ssl_ca_certs=/etc/redis/ca.pem".parse()?);
/// # Ok::<(), narrows_redis::ParseHostError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// Instead of the authorities that the system trusts.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    /// `None` where the key stands in the file of the certificate.
    pub(crate) key: Option<PathBuf>,
    pub(crate) verify: bool,
    pub(crate) check_hostname: bool,
}

impl Tls {
    /// The server must show a certificate for its host name from an authority that this system trusts.
    pub fn new() -> Self {
        Self { ca: None, cert: None, key: None, verify: true, check_hostname: true }
    }

    /// Trusts the authorities of a file, and no others.
    #[must_use]
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// Shows a certificate to the server. The key may stand in the same file.
    #[must_use]
    pub fn client_cert(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        (self.cert, self.key) = (Some(cert.into()), Some(key.into()));
        self
    }

    /// Takes a certificate that is for another host name: whoever has one from the same authority can then read along
    /// and write.
    #[must_use]
    pub fn danger_accept_any_hostname(mut self) -> Self {
        self.check_hostname = false;
        self
    }

    /// Takes any certificate: everybody on the way can then read along and write.
    #[must_use]
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.verify = false;
        self
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}
