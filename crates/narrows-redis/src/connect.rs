use std::fs;
use std::path::Path;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, TlsCertificates, io::tcp::TcpSettings,
};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

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
        let watch = master.map(|master| Watch::start(self.clone(), master));
        Ok(Connection { redis, lost, times: self.times, watch })
    }

    /// Where the sentinels say that the master is; `None` without sentinels.
    async fn master(&self) -> Result<Option<(String, u16)>, ConnectError> {
        let Place::Sentinel { sentinels, master, username, password } = &self.host.place else {
            return Ok(None);
        };
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
                let mut address =
                    ConnectionAddr::TcpTls { host, port, insecure: !tls.verify, tls_params: None };
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

/// Why a connection is no longer good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    #[error("the connection was closed")]
    Closed,
    #[error("{0}")]
    Silent(&'static str),
    #[error("another server is the master now")]
    Demoted,
    #[error("{0}")]
    Broken(String),
}

/// A connection to one Redis.
pub(crate) struct Connection {
    pub(crate) redis: MultiplexedConnection,
    lost: Arc<Notify>,
    times: Times,
    watch: Option<Watch>,
}

impl Connection {
    /// Returns when the connection is no longer good: closed, silent, or to a master that is none any more.
    pub(crate) async fn lost(&self) -> Lost {
        let silent = async {
            let mut next = Instant::now();
            loop {
                next += self.times.health;
                sleep_until(next).await;
                if let Err(why) = self.check().await {
                    break why;
                }
            }
        };
        tokio::select! {
            why = self.gone() => why,
            why = silent => why,
        }
    }

    /// Returns when the connection is closed, or to a master that is none any more. For one whose commands block, so
    /// that it cannot be asked beside them.
    pub(crate) async fn gone(&self) -> Lost {
        let demoted = async {
            match &self.watch {
                Some(watch) => watch.demoted.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.lost.notified() => Lost::Closed,
            () = demoted => Lost::Demoted,
        }
    }

    /// Whether another server is the master by now.
    pub(crate) fn is_demoted(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.task.is_finished())
    }

    async fn check(&self) -> Result<(), Lost> {
        let mut redis = self.redis.clone();
        match timeout(self.times.answer, redis::cmd("PING").exec_async(&mut redis)).await {
            Err(_) => Err(Lost::Silent("it answers no ping")),
            Ok(Err(error)) if error.is_timeout() => Err(Lost::Silent("it answers no ping")),
            Ok(Err(error)) if error.is_unrecoverable_error() || error.is_io_error() => {
                Err(Lost::Broken(error.to_string()))
            }
            // It may not be allowed to ping, but it answers.
            Ok(_) => Ok(()),
        }
    }
}

/// The work, beside a connection, of asking the sentinels now and then whether its server is still the master.
struct Watch {
    demoted: Arc<Notify>,
    task: AbortHandle,
}

impl Watch {
    fn start(connector: Connector, master: (String, u16)) -> Self {
        let demoted = Arc::new(Notify::new());
        let tell = demoted.clone();
        let task = tokio::spawn(async move {
            loop {
                sleep(connector.times.health).await;
                // Sentinels that cannot be reached are no reason to leave a master that can.
                if connector.master().await.is_ok_and(|now| now.is_some_and(|now| now != master)) {
                    break tell.notify_one();
                }
            }
        });
        Self { demoted, task: task.abort_handle() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
