use std::fs;
use std::path::Path;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    PushInfo, PushKind, RedisConnectionInfo, TlsCertificates, io::tcp::TcpSettings,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::hosts::{Host, Place, Tls};
use crate::options::Times;

/// What it takes to reach one Redis, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    host: Host,
    certificates: Option<TlsCertificates>,
    times: Times,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{host}: {error}")]
    Redis { host: String, error: redis::RedisError },
    #[error("no sentinel knows a master {master:?} that can be reached: {last}")]
    NoMaster { master: String, last: String },
}

/// A certificate or key that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct TlsFileError {
    path: String,
    error: std::io::Error,
}

impl Connector {
    pub(crate) fn new(host: Host, times: Times) -> Result<Self, TlsFileError> {
        let certificates = host.tls.as_ref().map(certificates).transpose()?;
        Ok(Self { host, certificates, times })
    }

    /// The same for another server of the same cluster.
    pub(crate) fn at(&self, host: &str, port: u16) -> Self {
        let place = Place::Tcp { host: host.to_owned(), port };
        Self { host: Host { place, ..self.host.clone() }, ..self.clone() }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// A new connection; `on_push` gets what Redis sends unasked, on the connection's task: it must not wait.
    pub(crate) async fn connect(
        &self,
        on_push: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Connection, ConnectError> {
        let lost = Arc::new(Notify::new());
        let signal = lost.clone();
        let push = move |info: PushInfo| {
            if info.kind == PushKind::Disconnection {
                signal.notify_one();
            } else {
                on_push(info);
            }
            Ok::<(), ()>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.times.connect))
            .set_response_timeout(Some(self.times.answer))
            .set_pipeline_buffer_size(1024)
            .set_write_backpressure_boundary(256 << 10)
            .set_push_sender(push);
        let master = self.master().await?;
        let (host, port) = match (&self.host.place, &master) {
            (Place::Tcp { host, port }, _) | (_, Some((host, port))) => (host.as_str(), *port),
            _ => ("", 0),
        };
        let client = self.client(host, port)?;
        let redis = client.get_multiplexed_async_connection_with_config(&config).await;
        let redis = redis.map_err(|error| ConnectError::Redis { host: self.host.to_string(), error })?;
        Ok(Connection { redis, lost, connector: self.clone(), master })
    }

    /// Where the sentinels say that the master is; `None` without sentinels.
    async fn master(&self) -> Result<Option<(String, u16)>, ConnectError> {
        let Place::Sentinel { sentinels, master, username, password } = &self.host.place else { return Ok(None) };
        let mut last = "there is no sentinel".to_owned();
        for (host, port) in sentinels {
            match timeout(self.times.connect, self.ask(host, *port, master, username, password)).await {
                Ok(Ok(Some(found))) => return Ok(Some(found)),
                Ok(Ok(None)) => last = format!("{host}:{port} does not know it"),
                Ok(Err(error)) => last = format!("{host}:{port}: {error}"),
                Err(_) => last = format!("{host}:{port} did not answer"),
            }
        }
        Err(ConnectError::NoMaster { master: master.clone(), last })
    }

    async fn ask(
        &self,
        host: &str,
        port: u16,
        master: &str,
        username: &Option<String>,
        password: &Option<String>,
    ) -> Result<Option<(String, u16)>, redis::RedisError> {
        let settings = login(username, password);
        let client = self.open(self.tcp(host, port), settings)?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.times.answer));
        let mut sentinel = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(master).query_async(&mut sentinel).await
    }

    fn client(&self, host: &str, port: u16) -> Result<Client, ConnectError> {
        let address = match &self.host.place {
            Place::Unix(path) => ConnectionAddr::Unix(path.clone()),
            Place::Tcp { .. } | Place::Sentinel { .. } | Place::Cluster { .. } => self.tcp(host, port),
        };
        let settings = login(&self.host.username, &self.host.password)
            .set_db(self.host.db)
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("narrows", env!("CARGO_PKG_VERSION"));
        self.open(address, settings)
            .map_err(|error| ConnectError::Redis { host: self.host.to_string(), error })
    }

    fn tcp(&self, host: &str, port: u16) -> ConnectionAddr {
        let host = host.to_owned();
        match &self.host.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(tls) => {
                let mut address = ConnectionAddr::TcpTls { host, port, insecure: !tls.verify, tls_params: None };
                address.set_danger_accept_invalid_hostnames(!tls.check_hostname);
                address
            }
        }
    }

    fn open(
        &self,
        address: ConnectionAddr,
        settings: RedisConnectionInfo,
    ) -> Result<Client, redis::RedisError> {
        // Redis-rs leaves Nagle's algorithm on: each small command would wait for the answer to the last.
        let tcp = TcpSettings::default().set_nodelay(true);
        let info: ConnectionInfo = address.into_connection_info()?;
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        match &self.certificates {
            None => Client::open(info),
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
        }
    }
}

fn login(username: &Option<String>, password: &Option<String>) -> RedisConnectionInfo {
    let settings = RedisConnectionInfo::default();
    let settings = match username {
        Some(username) => settings.set_username(username),
        None => settings,
    };
    match password {
        Some(password) => settings.set_password(password),
        None => settings,
    }
}

fn certificates(tls: &Tls) -> Result<TlsCertificates, TlsFileError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| TlsFileError { path: path.display().to_string(), error })
    };
    let client_tls = match (&tls.cert, &tls.key) {
        // One file may hold both, as redis-py takes it.
        (Some(cert), key) => Some(ClientTlsConfig {
            client_cert: read(cert)?,
            client_key: read(key.as_ref().unwrap_or(cert))?,
        }),
        _ => None,
    };
    Ok(TlsCertificates { client_tls, root_cert: tls.ca.as_deref().map(read).transpose()? })
}

const CLOSED: &str = "the connection was closed";

/// A connection to one Redis.
pub(crate) struct Connection {
    pub(crate) redis: MultiplexedConnection,
    lost: Arc<Notify>,
    connector: Connector,
    master: Option<(String, u16)>,
}

impl Connection {
    /// Returns when the connection is no longer good: closed, silent, or to a master that is none any more.
    pub(crate) async fn lost(&self) -> String {
        let health = async {
            let mut next = Instant::now();
            loop {
                next += self.connector.times.health;
                sleep_until(next).await;
                if let Err(why) = self.check().await {
                    break why;
                }
            }
        };
        tokio::select! {
            why = self.closed() => why,
            why = health => why,
        }
    }

    /// Returns when the connection is closed. For one whose commands block, so that it cannot be asked beside them.
    pub(crate) async fn closed(&self) -> String {
        self.lost.notified().await;
        CLOSED.to_owned()
    }

    async fn check(&self) -> Result<(), String> {
        let mut redis = self.redis.clone();
        match timeout(self.connector.times.answer, redis::cmd("PING").exec_async(&mut redis)).await {
            Err(_) => return Err(format!("no answer in {:?}", self.connector.times.answer)),
            Ok(Err(error)) if error.is_unrecoverable_error() || error.is_io_error() => return Err(error.to_string()),
            // It may not be allowed to ping, but it answers.
            Ok(_) => {}
        }
        self.still_master().await
    }

    /// Asks the sentinels, where there are some, whether this is still the master.
    pub(crate) async fn still_master(&self) -> Result<(), String> {
        match self.connector.master().await {
            Ok(master) if master != self.master => Err("another server is the master now".to_owned()),
            // Sentinels that cannot be reached are no reason to leave a master that can.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
