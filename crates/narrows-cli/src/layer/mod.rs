//! `narrows send` and `narrows tail`: a channel layer from the shell.

mod printable;
mod send;
mod tail;

use std::fmt;

use clap::Args;
use narrows_core::{Channel, Group, NameError, Topic};
use narrows_redis::{LayerSettings, RedisLayer};

pub(crate) use self::send::Send;
pub(crate) use self::tail::Tail;

/// Which channel layer: the settings that the nodes have, under the same names.
#[derive(Debug, Args)]
struct Layer {
    /// Where Redis is, several URLs with commas between them; or which layer it is, as --layer-kind
    #[arg(long, value_name = "URL|KIND")]
    layer: Vec<String>,
    /// Which of the two Redis layers: pubsub or core
    #[arg(long = "layer-kind", env = "NARROWS_LAYER_KIND", default_value = "pubsub", value_name = "KIND")]
    kind: String,
    /// Where Redis is, when --layer does not say it
    #[arg(
        long = "layer-url",
        env = "NARROWS_LAYER",
        default_value = "redis://127.0.0.1:6379",
        value_name = "URL"
    )]
    url: String,
    /// What the names in Redis begin with
    #[arg(long = "layer-prefix", env = "NARROWS_LAYER_PREFIX", default_value = "asgi", value_name = "TEXT")]
    prefix: String,
    /// How messages are written in Redis: msgpack or json
    #[arg(
        long = "layer-serializer",
        env = "NARROWS_LAYER_SERIALIZER",
        default_value = "msgpack",
        value_name = "FORMAT"
    )]
    serializer: String,
    /// A key that messages are encrypted with; several with commas, the first writes
    #[arg(
        long = "layer-key",
        env = "NARROWS_LAYER_KEY",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "KEY"
    )]
    keys: Vec<String>,
}

impl Layer {
    fn open(&self) -> Result<RedisLayer, Error> {
        let Self { layer, url, kind, prefix, serializer, keys } = self;
        let (mut url, mut kind) = (url, kind);
        for said in layer {
            let place = said.contains("://") || said == "memory";
            *(if place { &mut url } else { &mut kind }) = said;
        }
        let settings = LayerSettings { layer: url, kind, prefix, serializer, keys };
        settings.build()?.ok_or(Error::Memory)
    }
}

/// A group's topic; a name that a group cannot have is an error that says why.
fn group(name: &str) -> Result<Topic, Error> {
    let named = Group::<()>::new(name).map_err(|error| Error::Name { name: name.to_owned(), error })?;
    Ok(named.topic())
}

fn channel(name: &str) -> Result<Topic, Error> {
    let named = Channel::<()>::new(name).map_err(|error| Error::Name { name: name.to_owned(), error })?;
    Ok(named.topic())
}

/// What went wrong with a layer, for the one who typed the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Settings(#[from] narrows_redis::LayerSettingsError),
    #[error("the in-memory layer cannot be reached from another process; give --layer redis://…")]
    Memory,
    #[error("{name:?} names no group or channel: {error}")]
    Name { name: String, error: NameError },
    #[error("{0}")]
    Layer(Chain<narrows_core::LayerError>),
    #[error("the message is no JSON: {0}")]
    Json(serde_json::Error),
    #[error("a message is a JSON object such as {{\"type\": \"chat.message\"}}, and this is {0}")]
    NotAnObject(&'static str),
    #[error(transparent)]
    Message(#[from] narrows_core::MessageError),
    #[error("name a group, or give --channel, --user or --everyone")]
    NoTarget,
    #[error("name at least one group, or give --channel")]
    NothingToTail,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<narrows_core::LayerError> for Error {
    fn from(error: narrows_core::LayerError) -> Self {
        Self::Layer(Chain(error))
    }
}

/// An error with what caused it, on one line.
#[derive(Debug)]
pub(crate) struct Chain<E>(E);

impl<E: std::error::Error> fmt::Display for Chain<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, std::io::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
