//! A stock Django site behind Narrows: one port, one command.
//!
//! Django's pages come through `Upstream`; the socket of the board is here, and knows Django's users.

mod board;
mod run;
mod shared;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use axum::Router;
use narrows::Channels;
use narrows::serve::settings::{Loaded, Program, Setting, Settings, Source};
use narrows::serve::{Server, health};
use narrows_django::{Accounts, Database, SecretKeys, Upstream};
use narrows_redis::LayerSettings;
use tracing_subscriber::EnvFilter;

use run::{Held, Python, Website, start_redis};
use shared::Shared;

fn main() -> ExitCode {
    let program = Program::new("beside-django", env!("CARGO_PKG_VERSION"))
        .about("A stock Django site with its sockets in Narrows, on one port")
        .layer_settings()
        .setting(Setting::text("python", "python3", "The Python to make the virtual environment with"))
        .setting(Setting::text(
            "venv",
            "",
            "The virtual environment; where it is missing, it is made. Default: in `data`",
        ))
        .setting(Setting::text(
            "data",
            "",
            "Where database, secret key and static files are. Default: target/beside-django",
        ))
        .setting(
            Setting::text("demo_password", "", "Makes the users ada, an admin, and ben, with this password")
                .secret(),
        );
    match run(&Settings::from_process(&program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("beside-django: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_new(&loaded.settings.log).map_err(|error| format!("log: {error}"))?;
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr).init();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // The shards of the node serve; this runtime accepts, and minds the other programs.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(loaded))
}

async fn serve(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let site = here.join("site");
    let data = folder(loaded.text("data"), || here.join("../../target/beside-django"));
    std::fs::create_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
    let data = data.canonicalize()?;
    let shared = Shared::read(&data)?;
    // Before anything is made that only one of the two could read.
    let (database_url, sessions) = (shared.database()?, shared.sessions()?);
    let venv = folder(loaded.text("venv"), || data.join("venv"));
    let python = Python::prepare(loaded.text("python"), &venv, &site.join("requirements.txt"))?;
    // Short, as the path of a socket must be, and for nobody but this user.
    let sockets = tempfile::Builder::new().prefix("beside-").tempdir()?;

    let (redis, layer) = layer(loaded, sockets.path(), &python, &site)?;
    let website = Website { socket: sockets.path().join("django.sock"), site, python, data, shared, layer };
    website.prepare(loaded.text("demo_password"))?;
    let django = website.start().await?;

    let channels = channels(loaded, &website.layer, &website.shared.keys())?;
    let database = Database::connect(&database_url).await?;
    let accounts =
        Accounts::builder(website.shared.keys(), database).sessions(sessions).channels(&channels).build();
    let app = app(&channels, &accounts, Upstream::new(&website.address())?);
    let server = Server::new(app, &channels, &loaded.settings).listen().await?;
    let addresses = server.addresses().to_vec();
    // Before anybody is told of the server: from here on a signal ends it in the orderly way.
    let running = server.run();
    for address in addresses {
        println!("the board is at {address}");
    }
    println!("stop it with Ctrl-C");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    // The sockets first, then what they and the last requests need.
    let serving = async {
        running.await;
        drop(stop);
    };
    tokio::join!(serving, website.keep(django, stopped));
    drop((accounts, channels));
    if let Some(redis) = redis {
        redis.end().await;
    }
    Ok(())
}

/// The whole site: the socket, the health routes, and Django for all else.
fn app(channels: &Channels, accounts: &Accounts, upstream: Upstream) -> Router {
    Router::new()
        .route("/ws/board/", channels.consumer::<board::Board>().route())
        .layer(accounts.layer())
        .merge(health(channels))
        .fallback_service(upstream)
}

/// Where the two meet: the Redis that somebody named, or one of our own, or none.
fn layer(
    loaded: &Loaded,
    sockets: &Path,
    python: &Python,
    site: &Path,
) -> Result<(Option<Held>, String), Box<dyn Error>> {
    let named = loaded.text("layer");
    if loaded.source("layer") != Some(&Source::Default) {
        return Ok((None, if named == "memory" { String::new() } else { named.to_owned() }));
    }
    if let Some((redis, url)) = start_redis(sockets, python, site)? {
        return Ok((Some(redis), url));
    }
    tracing::warn!(
        "there is no redis-server: pages and sockets work, but what Django saves is not live, and a log-out closes a \
         socket only when the sessions are next looked at, within a minute; install Redis, or name one with --layer redis://127.0.0.1:6379"
    );
    Ok((None, String::new()))
}

fn channels(loaded: &Loaded, layer: &str, keys: &SecretKeys) -> Result<Channels, Box<dyn Error>> {
    let builder = Channels::builder().settings(&loaded.settings)?;
    // The site has one secret.
    let builder = builder.secret_keys(keys.current(), keys.all().skip(1));
    let mut settings = LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key"));
    settings.layer = if layer.is_empty() { "memory" } else { layer };
    Ok(match settings.build()? {
        Some(layer) => builder.layer(layer).build(),
        None => builder.build(),
    })
}

fn folder(text: &str, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if text.is_empty() { default() } else { PathBuf::from(text) }
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
