//! A small server for trying clients, proxies and load generators on.

mod chat;
mod echo;
mod present;
mod whoami;

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use narrows::serve::settings::{Loaded, Program, Settings};
use narrows::serve::{Server, health};
use narrows::{Channels, OriginPolicy};
use narrows_django::ways::SesameWay;
use narrows_django::{AccountSettings, Accounts, Database};
use narrows_redis::LayerSettings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let program = Program::new("endpoints", env!("CARGO_PKG_VERSION"))
        .about("WebSocket endpoints for trying clients, proxies and load generators")
        .layer_settings();
    let loaded = Settings::from_process(&AccountSettings::add_to(program));
    for warning in &loaded.warnings {
        eprintln!("endpoints: {warning}");
    }
    let filter = tracing_subscriber::EnvFilter::new(&loaded.settings.log);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // The shards serve; this runtime only accepts.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let settings = &loaded.settings;
    let channels = match channels(&loaded) {
        Ok(channels) => channels,
        Err(error) => return fail(&*error),
    };
    runtime.block_on(async {
        let app = match accounts(&loaded, &channels).await {
            Ok(accounts) => app(&channels, settings, accounts),
            Err(error) => return fail(&*error),
        };
        let server = match Server::new(app, &channels, settings).listen().await {
            Ok(server) => server,
            Err(error) => return fail(&error),
        };
        let addresses = server.addresses().to_vec();
        // Before anybody is told of the server: from here on a signal drains it.
        let running = server.run();
        for address in addresses {
            println!("listening on {address}");
        }
        println!("stop with Ctrl-C");
        running.await;
        ExitCode::SUCCESS
    })
}

fn channels(loaded: &Loaded) -> Result<Channels, Box<dyn Error>> {
    let builder = Channels::builder().settings(&loaded.settings)?;
    let layer = LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key")).build()?;
    Ok(match layer {
        Some(layer) => builder.layer(layer).build(),
        None => builder.build(),
    })
}

/// The accounts of the database that is named, with a way in by tokens of django-sesame.
async fn accounts(
    loaded: &Loaded,
    channels: &Channels,
) -> Result<Option<(Accounts, SesameWay)>, Box<dyn Error>> {
    let settings = AccountSettings::read(loaded)?;
    let Some(url) = &settings.database_url else { return Ok(None) };
    let keys = settings
        .keys
        .clone()
        .ok_or("there is a database_url, and no secret_key to read its sessions with")?;
    let sesame = settings.sesame(&keys)?;
    let database = Database::connect(url).await?;
    Ok(Some((settings.accounts(keys, database).channels(channels).build(), SesameWay::new(sesame))))
}

fn app(channels: &Channels, settings: &Settings, accounts: Option<(Accounts, SesameWay)>) -> Router {
    // Whoever allows larger messages to try clients on does not care how many frames they come in.
    let limits = settings.limits();
    let limits = limits.clone().max_frame_bytes(limits.max_message_bytes);
    let echo = channels.consumer::<echo::Echo>().origin(OriginPolicy::any()).limits(limits.clone());
    let headers = channels.consumer::<echo::Headers>().origin(OriginPolicy::any()).limits(limits);
    let whoami = channels.consumer::<whoami::WhoAmI>();
    let whoami = Router::new().route("/ws/whoami/", whoami.route());
    let whoami = match accounts {
        Some((accounts, sesame)) => {
            let (way, layer) = (accounts.way_in(sesame), accounts.layer());
            whoami.with_state(Some(accounts)).layer(way).layer(layer)
        }
        None => whoami.with_state(None),
    };
    Router::new()
        .merge(whoami)
        .route("/ws/echo/", echo.subprotocols(["chat.v1"]).route())
        .route("/ws/headers/", headers.subprotocols(["chat.v1"]).route())
        .route("/ws/chat/{room}/", channels.consumer::<chat::Chat>().route())
        .route("/ws/presence/{sees}/{room}/{person}/", channels.consumer::<present::Present>().route())
        .route("/ws/resident/{room}/{person}/", channels.consumer::<present::Resident>().route())
        .route("/chat/", get(|| async { Html(include_str!("../pages/index.html")) }))
        .route("/chat/{room}/", get(room))
        .route(
            "/static/chat.js",
            get(|| async {
                ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../pages/chat.js"))
            }),
        )
        .merge(health(channels))
}

/// The page of a room. Its script reads the room's name off the address.
async fn room(Path(room): Path<String>) -> Result<Html<&'static str>, (StatusCode, String)> {
    match chat::group(&room) {
        Ok(_) => Ok(Html(include_str!("../pages/room.html"))),
        Err(error) => {
            Err((StatusCode::BAD_REQUEST, format!("There can be no room of this name: {error}.\n")))
        }
    }
}

fn fail(error: &dyn Error) -> ExitCode {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    eprintln!("endpoints: {text}");
    ExitCode::FAILURE
}
