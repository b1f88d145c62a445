use std::net::SocketAddr;
use std::time::Duration;

use chat::{Announce, Bot, BotChannel, LogIn, Messages};
use narrows::layer::MemoryLayer;
use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use narrows::{ChannelLayer, Channels};
use narrows_django::password::{Hasher, Hashing};
use narrows_django::{Accounts, Database, SecretKeys};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The site, served on a port of this machine until it is stopped or dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// The database of a site, or of several.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) database: Database,
    // Removed with the last of them.
    _folder: std::sync::Arc<TempDir>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/chat.sqlite3?mode=rwc", folder.path().display());
        Self { _folder: folder.into(), ..Self::at(&url).await }
    }

    /// The same in this database.
    pub(crate) async fn at(url: &str) -> Self {
        let database = Database::connect(url).await.unwrap();
        database.create_tables().await.unwrap();
        Self { database, _folder: tempfile::tempdir().unwrap().into() }
    }

    /// What was said, in its database.
    pub(crate) async fn messages(&self) -> Messages {
        Messages::open(&self.database).await.unwrap()
    }

    /// Its accounts on a node. Passwords are hashed quickly here.
    async fn accounts(&self, channels: &Channels) -> Accounts {
        let hashing = Hashing::new(Hasher::pbkdf2_sha256(1_000).unwrap());
        let builder = Accounts::builder(SecretKeys::new("the key of the tests"), self.database.clone());
        let accounts = builder.hashing(hashing).channels(channels).build();
        accounts.create_token_table().await.unwrap();
        accounts
    }
}

/// Whether a site of a test has accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doors {
    Off,
    Optional,
    Required,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0", Announce::Everyone).await
    }

    pub(crate) async fn start_on(bind: &str, announce: Announce) -> Self {
        Self::start_with(bind, announce, Bot::Here, MemoryLayer::new()).await
    }

    pub(crate) async fn start_with(
        bind: &str,
        announce: Announce,
        bot: Bot,
        layer: impl ChannelLayer,
    ) -> Self {
        let home = Home::new().await;
        Self::serve(bind, announce, bot, layer, &home, Doors::Optional).await
    }

    pub(crate) async fn start_with_doors(doors: Doors) -> Self {
        Self::node(&Home::new().await, MemoryLayer::new(), doors).await
    }

    /// One of several nodes.
    pub(crate) async fn node(home: &Home, layer: impl ChannelLayer, doors: Doors) -> Self {
        Self::serve("127.0.0.1:0", Announce::Everyone, Bot::Here, layer, home, doors).await
    }

    pub(crate) async fn serve(
        bind: &str,
        announce: Announce,
        bot: Bot,
        layer: impl ChannelLayer,
        home: &Home,
        doors: Doors,
    ) -> Self {
        let mut settings = Settings::default();
        settings.bind = vec![bind.to_owned()];
        settings.shards = 2;
        settings.drain_window = Duration::ZERO;
        let channels = Channels::builder().settings(&settings).unwrap().layer(layer).build();
        let bot_channel = BotChannel::of(bot);
        let log_in = match doors {
            Doors::Off => LogIn::Off,
            Doors::Optional => LogIn::Optional(home.accounts(&channels).await),
            Doors::Required => LogIn::Required(home.accounts(&channels).await),
        };
        let messages = home.messages().await;
        let app = chat::app(&channels, chat::Site::new(announce, &bot_channel, log_in, &messages));
        let server = Server::new(app, &channels, &settings).listen().await.unwrap();
        let Address::Tcp(address) = server.addresses()[0] else { unreachable!("it is bound to TCP") };
        let (end, ended) = oneshot::channel::<()>();
        let running = server.run_until(async move {
            // Dropped or sent, it is the end.
            let _ = ended.await;
        });
        let home = home.clone();
        let serving = tokio::spawn(async move {
            match bot {
                Bot::Here => {
                    let bot = chat::bot(&channels, &bot_channel, &messages);
                    bot.run_until(running).await.unwrap();
                }
                Bot::Off | Bot::Only => running.await,
            }
            drop(home);
        });
        Self { address, end, serving }
    }

    /// Ends it as SIGTERM would, and waits until it has ended.
    pub(crate) async fn stop(self) {
        drop(self.end);
        self.serving.await.unwrap();
    }

    /// The address of a page, for a browser.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str) -> Answer {
        self.send(method, path, headers, "").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = self.address;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer { head: head.to_owned(), body: body.replace("&#x2f;", "/") }
    }
}

/// What came back for one request; the templates write a slash as `&#x2f;`, which is undone here.
pub(crate) struct Answer {
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| *field == name).map(|(_, value)| value).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
