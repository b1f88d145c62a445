//! The chat site as a program: `cargo run --release`, then open the address that it prints.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use chat::{Announce, Bot, BotChannel};
use narrows::serve::settings::{Loaded, Program, Setting, Settings};
use narrows::serve::{ListenError, Server};
use narrows::{Channels, Worker};
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
        ));
    let loaded = Settings::from_process(&program);
    match run(&loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}{}", advice(&*error));
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
    let channels = match layer {
        Some(layer) => builder.layer(layer).build(),
        None => builder.build(),
    };
    // The shards of `channels` serve; this runtime only accepts, and runs the bot.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let bot_channel = BotChannel::of(bot);
        let worker = chat::bot(&channels, &bot_channel);
        if bot == Bot::Only {
            return run_bot(worker, is_alone).await;
        }
        let app = chat::app(&channels, announce, &bot_channel);
        let server = Server::new(app, &channels, settings).listen().await?;
        let addresses = server.addresses().to_vec();
        // Before anybody is told of the server: from here on a signal ends it in the orderly way.
        let running = server.run();
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

/// What to do about an error, where there is something to do.
fn advice(error: &(dyn Error + 'static)) -> &'static str {
    match error.downcast_ref() {
        Some(ListenError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
            "\nAnother program listens there; choose another address, for example --bind 127.0.0.1:8001"
        }
        _ => "",
    }
}
