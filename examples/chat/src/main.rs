//! The chat site as a program: `cargo run --release`, then open the address that it prints.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use chat::{Announce, Bot, BotChannel, DataFolder, DataFolderError, LogIn, Messages, Site};
use narrows::serve::settings::{Loaded, Program, Setting, Settings};
use narrows::serve::{ListenError, Server};
use narrows::{Channels, Worker};
use narrows_django::{AccountSettings, Database, DatabaseError, SecretKeys};
use narrows_redis::LayerSettings;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let program = Program::new("chat", env!("CARGO_PKG_VERSION"))
        .about("A chat site on Narrows: single chat, group chat and chat rooms")
        .layer_settings()
        .setting(Setting::choice(
            "announce",
            &["everyone", "nobody"],
            "everyone",
            "Who may send announcements to all connected clients",
        ))
        .setting(Setting::choice(
            "bot",
            &["here", "off", "only"],
            "here",
            "Who runs the chat bot: this process, another one, or this process and nothing else",
        ))
        .setting(Setting::choice(
            "accounts",
            &["off", "optional", "required"],
            "optional",
            "Whether there are accounts, and whether one is needed to chat",
        ))
        .setting(Setting::text(
            "data_dir",
            "data",
            "The folder of the database, where none is named, and of the secret key",
        ))
        .setting(Setting::duration(
            "keep_messages",
            Duration::ZERO,
            "For how long what is said in the rooms is kept, such as 720h; off is for ever",
        ));
    let loaded = Settings::from_process(&AccountSettings::add_to(program));
    match run(&loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {}{}", with_causes(&*error), advice(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
    let settings = &loaded.settings;
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| format!("log: {error}"))?;
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr).init();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let announce = match loaded.text("announce") {
        "nobody" => Announce::Nobody,
        _ => Announce::Everyone,
    };
    let bot = match loaded.text("bot") {
        "off" => Bot::Off,
        "only" => Bot::Only,
        _ => Bot::Here,
    };
    let layer = LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key")).build()?;
    let is_alone = layer.is_none();
    let builder = Channels::builder().settings(settings)?;
    let accounts = AccountSettings::read(loaded)?;
    let builder = match secret_key(loaded)? {
        Some(key) => builder.secret_key(key),
        None => builder,
    };
    let channels = match layer {
        Some(layer) => builder.layer(layer).build(),
        None => builder.build(),
    };
    // The shards of `channels` serve; this runtime only accepts, and runs the bot.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let bot_channel = BotChannel::of(bot);
        let database = database(loaded, &accounts).await?;
        let messages = Messages::open(&database).await?;
        let worker = chat::bot(&channels, &bot_channel, &messages);
        if bot == Bot::Only {
            return run_bot(worker, is_alone).await;
        }
        let log_in = log_in(loaded, &accounts, database, &channels).await?;
        let site = Site::new(announce, &bot_channel, log_in, &messages);
        let app = chat::app(&channels, site);
        let server = Server::new(app, &channels, settings).listen().await?;
        let addresses = server.addresses().to_vec();
        // Before anybody is told of the server: from here on a signal ends it in the orderly way.
        let running = server.run();
        if let Some(age) = Some(loaded.duration("keep_messages")).filter(|age| !age.is_zero()) {
            tokio::spawn(async move { messages.delete_after(age).await });
        }
        for address in addresses {
            println!("chat is at {address}");
        }
        println!("stop it with Ctrl-C");
        match bot {
            // It ends after the site, and so answers those who asked last.
            Bot::Here => drop(worker.run_until(running).await?),
            Bot::Off | Bot::Only => running.await,
        }
        Ok(())
    })
}

/// The database that is named, otherwise one in the data folder.
async fn database(loaded: &Loaded, settings: &AccountSettings) -> Result<Database, Box<dyn Error>> {
    let url = match &settings.database_url {
        Some(url) => url.clone(),
        None => DataFolder::open(loaded.text("data_dir"))?.database_url()?,
    };
    Ok(Database::connect(&url).await?)
}

/// What seals the tokens of connections that come back: known to all nodes, and after a restart. `None` where there is no
/// data folder, and nobody has an account.
fn secret_key(loaded: &Loaded) -> Result<Option<String>, DataFolderError> {
    let needs_folder = loaded.text("accounts") != "off" || loaded.text("database_url").is_empty();
    match loaded.text("secret_key") {
        "" if needs_folder && loaded.text("bot") != "only" => {
            DataFolder::open(loaded.text("data_dir"))?.secret_key().map(Some)
        }
        // The settings have it already, with those before it.
        _ => Ok(None),
    }
}

async fn log_in(
    loaded: &Loaded,
    settings: &AccountSettings,
    database: Database,
    channels: &Channels,
) -> Result<LogIn, Box<dyn Error>> {
    let said = loaded.text("accounts");
    if said == "off" {
        return Ok(LogIn::Off);
    }
    let keys = match &settings.keys {
        Some(keys) => keys.clone(),
        None => SecretKeys::new(&DataFolder::open(loaded.text("data_dir"))?.secret_key()?),
    };
    database.create_tables().await?;
    let accounts = settings.accounts(keys, database).channels(channels).build();
    accounts.create_token_table().await?;
    Ok(if said == "required" { LogIn::Required(accounts) } else { LogIn::Optional(accounts) })
}

async fn run_bot(worker: Worker, is_alone: bool) -> Result<(), Box<dyn Error>> {
    if is_alone {
        tracing::warn!("the channel layer is in memory, so this bot hears of no other process's rooms");
    }
    let running = worker.run();
    println!("the chat bot is at work");
    println!("stop it with Ctrl-C");
    let report = running.await?;
    tracing::info!(handled = report.handled, failed = report.failed, "the bot has ended");
    Ok(())
}

/// An error with what caused it, on one line.
fn with_causes(error: &dyn Error) -> String {
    std::iter::successors(error.source(), |&cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What to do about an error, where there is something to do.
fn advice(error: &(dyn Error + 'static)) -> &'static str {
    match error.downcast_ref() {
        Some(ListenError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
            "\nAnother program listens there; choose another address, for example --bind 127.0.0.1:8001"
        }
        _ if error.is::<DatabaseError>() => {
            "\nMessages and accounts are kept in a database; see to --database-url (or DATABASE_URL); with \
             --database-url sqlite::memory: they are gone with the process"
        }
        _ if error.is::<DataFolderError>() => {
            "\nThe site keeps its database and its secret key there; name another folder with --data-dir"
        }
        _ => "",
    }
}
