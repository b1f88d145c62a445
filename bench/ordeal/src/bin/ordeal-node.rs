//! One node of the ordeal: the room, on Redis.

use std::error::Error;

use axum::Router;
use narrows::serve::settings::{Program, Settings};
use narrows::serve::{Server, health};
use narrows::{Capacity, Channels, OriginPolicy};
use narrows_redis::LayerSettings;
use ordeal::room::Member;

fn main() -> Result<(), Box<dyn Error>> {
    let program = Program::new("ordeal-node", env!("CARGO_PKG_VERSION")).layer_settings();
    let loaded = Settings::from_process(&program);
    let filter = tracing_subscriber::EnvFilter::new(&loaded.settings.log);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let layer = LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key")).build()?;
    let layer = layer.ok_or("the nodes of an ordeal need a Redis: --layer redis://…")?;
    // The same for all nodes, as connections go on at another one than that which they were cut off from.
    let builder = Channels::builder().settings(&loaded.settings)?.secret_key("no secret: an ordeal's nodes");
    let channels = builder.layer(layer).build();
    // Half of it is for what somebody missed: all that the room keeps.
    let outbox = Capacity::default().max_messages(16_384).max_bytes(4 << 20);
    let member = channels.consumer::<Member>().origin(OriginPolicy::any()).outbox(outbox).resumable();
    let app = Router::new().route("/ws/ordeal", member.route()).merge(health(&channels));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::new(app, &channels, &loaded.settings).listen().await?;
        let running = server.run();
        println!("ready");
        running.await;
        Ok(())
    })
}
