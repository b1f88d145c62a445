use std::ffi::OsString;
use std::net::SocketAddr;

use chat::rooms::Messages;
use narrows::ChannelLayer;
use narrows::layer::MemoryLayer;
use narrows::serve::settings::{Command, Loaded, Settings};
use narrows::serve::{Address, Server};
use narrows_web::models::sea_orm::ConnectionTrait;
use narrows_web::narrows_django::Database;
use narrows_web::narrows_django::password::{Hasher, Hashing};
use narrows_web::{Opened, Project};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The site, served on a port of this machine until it is stopped or dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    site: narrows_web::Site,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// The database of a site, or of several.
#[derive(Clone)]
pub(crate) struct Home {
    url: String,
    // Removed with the last of them.
    _folder: std::sync::Arc<TempDir>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/chat.sqlite3?mode=rwc", folder.path().display());
        Self { url, _folder: folder.into() }
    }

    /// The same in this database.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: tempfile::tempdir().unwrap().into() }
    }

    /// A connection of the test's own.
    pub(crate) async fn database(&self) -> Database {
        Database::connect(&self.url).await.unwrap()
    }

    /// The settings of a node here.
    pub(crate) fn settings(&self, project: &Project, more: &[&str]) -> Loaded {
        let here =
            ["--database-url", &self.url, "--secret-key", "the key of the tests", "--development", "off"];
        let args = here.iter().chain(&["--shards", "2", "--drain-window", "0s"]).chain(more);
        let args = args.map(|arg| OsString::from(*arg));
        match Settings::load(&project.program(), args, [("", ""); 0]).unwrap() {
            Command::Run(loaded) => *loaded,
            Command::Print(text) => panic!("{text}"),
        }
    }
}

/// Whether a site of a test has accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doors {
    Off,
    Optional,
    Required,
}

/// Who may announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announce {
    Everyone,
    Nobody,
}

/// Who runs the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bot {
    Here,
    Off,
}

/// The project on this layer. Passwords are hashed quickly here.
pub(crate) fn project(layer: impl ChannelLayer) -> Project {
    let hashing = Hashing::new(Hasher::pbkdf2_sha256(1_000).unwrap());
    chat::project().channel_layer(layer).accounts(|accounts| accounts.hashing(hashing))
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
        Self::serve(bind, announce, bot, layer, &Home::new(), Doors::Optional).await
    }

    pub(crate) async fn start_with_doors(doors: Doors) -> Self {
        Self::node(&Home::new(), MemoryLayer::new(), doors).await
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
        let [announce, bot, doors] = [format!("{announce:?}"), format!("{bot:?}"), format!("{doors:?}")]
            .map(|said| said.to_lowercase());
        let more = ["--bind", bind, "--announce", &announce, "--bot", &bot, "--accounts", &doors];
        let project = project(layer);
        let loaded = home.settings(&project, &more);
        Self::run(project.open(loaded).await.unwrap(), home).await
    }

    /// Another project, served in the same way.
    pub(crate) async fn of(project: Project) -> Self {
        Self::of_with(project, &[]).await
    }

    /// Another project, with settings of its own.
    pub(crate) async fn of_with(project: Project, more: &[&str]) -> Self {
        let hashing = Hashing::new(Hasher::pbkdf2_sha256(1_000).unwrap());
        let (home, project) = (Home::new(), project.accounts(|accounts| accounts.hashing(hashing)));
        let more = [&["--bind", "127.0.0.1:0"], more].concat();
        let loaded = home.settings(&project, &more);
        Self::run(project.open(loaded).await.unwrap(), &home).await
    }

    async fn run(mut opened: Opened, home: &Home) -> Self {
        let site = opened.site().clone();
        let settings = &site.settings().settings;
        let server = Server::new(opened.router(), site.channels(), settings).listen().await.unwrap();
        let Address::Tcp(address) = server.addresses()[0] else { unreachable!("it is bound to TCP") };
        let (end, ended) = oneshot::channel::<()>();
        let running = server.run_until(async move {
            // Dropped or sent, it is the end.
            let _ = ended.await;
        });
        let home = home.clone();
        let serving = tokio::spawn(async move {
            match opened.take_workers().pop() {
                Some(bot) => drop(bot.run_until(running).await.unwrap()),
                None => running.await,
            }
            drop(home);
        });
        Self { address, site, end, serving }
    }

    /// What was said, in its database.
    pub(crate) fn messages(&self) -> Messages {
        Messages::of(&self.site)
    }

    /// Lets somebody who has registered into the admin.
    pub(crate) async fn promote(&self, name: &str) {
        let user = self.site.accounts().user_by_name(name).await.unwrap().unwrap();
        let sql = format!(
            "UPDATE auth_user SET is_staff = true, is_superuser = true WHERE id = {}",
            user.id.as_str()
        );
        self.site.database().connection().execute_unprepared(&sql).await.unwrap();
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
        self.request("GET", path, "accept: text/html,*/*;q=0.8\r\n").await
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
