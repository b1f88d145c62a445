//! The servers and pairs of processes whose channel layer is on Redis: one table, one row each.

use crate::build::{Programs, peers};
use crate::launch::Launch;
use crate::redis;
use crate::servers::{CHANNELS_ON_UVICORN, Dialect, Layer, Pace, Row, channels, python};

/// What goals and ratios name, by key.
pub(crate) const PUBSUB: &str = "narrows-pubsub";
pub(crate) const CORE: &str = "narrows-core";
pub(crate) const TWO_NODES: &str = "narrows-pubsub-2";
pub(crate) const CHANNELS_PUBSUB: &str = "channels-pubsub";
pub(crate) const CHANNELS_CORE: &str = "channels-core";

pub(crate) const ON_REDIS: &[Row] = &[
    Row {
        key: PUBSUB,
        name: "Narrows, pub/sub layer",
        about: "the same consumer on `narrows_redis::PubSubLayer`",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::PubSub,
        nodes: 1,
        launch: |programs| Ok(narrows(programs, Layer::PubSub)),
        version: |_| ours(),
    },
    Row {
        key: TWO_NODES,
        name: "Narrows, pub/sub layer, two nodes",
        about: "the same, two processes with half of the members each; their CPU time is one sum",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::PubSub,
        nodes: 2,
        launch: |programs| Ok(narrows(programs, Layer::PubSub)),
        version: |_| ours(),
    },
    Row {
        key: CORE,
        name: "Narrows, core layer",
        about: "the same consumer on `narrows_redis::CoreLayer`",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Core,
        nodes: 1,
        launch: |programs| Ok(narrows(programs, Layer::Core)),
        version: |_| ours(),
    },
    Row {
        key: CHANNELS_PUBSUB,
        name: "Channels, channels_redis pub/sub",
        about: "the tutorial's consumer on uvicorn, `RedisPubSubChannelLayer`, with hiredis",
        pace: Pace::Slow,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::PubSub,
        nodes: 1,
        launch: |programs| django(programs, Layer::PubSub),
        version: theirs,
    },
    Row {
        key: CHANNELS_CORE,
        name: "Channels, channels_redis core",
        about: "the same on `RedisChannelLayer`, whose capacity of 100 messages a process no workload fills",
        pace: Pace::Slow,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Core,
        nodes: 1,
        launch: |programs| django(programs, Layer::Core),
        version: theirs,
    },
];

/// The program that is both halves of a measurement without sockets; what follows its name is for the caller.
pub(crate) fn halves(row: &Row, programs: &Programs) -> Result<Launch, String> {
    if row.pace == Pace::Fast {
        return Ok(Launch::new(programs.built("layers"), &[]));
    }
    let python = programs.installed("venv/bin/python");
    if !python.exists() {
        return Err("there is no Python with channels_redis; cargo xtask bench installs it".to_owned());
    }
    Ok(Launch::new(python, &["layers.py"]).at(peers().join("channels")).with("PYTHONDONTWRITEBYTECODE", "1"))
}

fn narrows(programs: &Programs, layer: Layer) -> Launch {
    let arguments = ["--bind", "127.0.0.1:0", "--layer", "redis://{redis}", "--layer-kind", layer.kind()];
    Launch::new(programs.built("endpoints"), &arguments)
}

fn django(programs: &Programs, layer: Layer) -> Result<Launch, String> {
    let launch = channels(programs, "uvicorn", CHANNELS_ON_UVICORN)?;
    Ok(launch.with("CHANNEL_LAYER", layer.kind()).with("REDIS", "redis://{redis}"))
}

fn ours() -> Option<String> {
    Some(format!("narrows {}, {}", env!("CARGO_PKG_VERSION"), redis::version()?))
}

fn theirs(programs: &Programs) -> Option<String> {
    let packages =
        ["channels_redis", "redis", "hiredis", "msgpack", "channels", "Django", "uvicorn", "uvloop"];
    Some(format!("{}, {}", python(programs, &packages)?, redis::version()?))
}
