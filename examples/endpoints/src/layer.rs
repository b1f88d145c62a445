use std::error::Error;

use narrows::serve::settings::{Loaded, Program, Setting};
use narrows::{Channels, ChannelsBuilder};
use narrows_redis::LayerSettings;

/// The settings that say which channel layer the program is on.
pub(crate) fn settings(program: Program) -> Program {
    program
        .setting(Setting::text(
            "layer",
            "memory",
            "memory, or where Redis is: redis://…, several with commas",
        ))
        .setting(Setting::choice(
            "layer_kind",
            &["pubsub", "core"],
            "pubsub",
            "Which of the two Redis layers",
        ))
        .setting(Setting::text("layer_prefix", "asgi", "What the names in Redis begin with"))
        .setting(Setting::choice(
            "layer_serializer",
            &["msgpack", "json"],
            "msgpack",
            "How messages are written in Redis",
        ))
        .setting(Setting::list("layer_key", "Keys that encrypt messages in Redis; the first writes").secret())
}

/// A node on that layer.
pub(crate) fn builder(loaded: &Loaded) -> Result<ChannelsBuilder, Box<dyn Error>> {
    let layer = LayerSettings {
        layer: loaded.text("layer"),
        kind: loaded.text("layer_kind"),
        prefix: loaded.text("layer_prefix"),
        serializer: loaded.text("layer_serializer"),
        keys: loaded.list("layer_key"),
    };
    let builder = Channels::builder();
    Ok(match layer.build()? {
        Some(layer) => builder.layer(layer),
        None => builder,
    })
}
