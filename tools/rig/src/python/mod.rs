mod consumer;
mod layer;
mod pending;
mod process;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub use consumer::Consumer;
pub use layer::{Layer, LayerOptions, Sent};
pub use pending::{Pending, PythonError};
use process::Process;
pub(crate) use process::Process as PythonProcess;

use crate::wait::PATIENCE;

/// A Python process with Django Channels and channels_redis; killed when this and its layers are dropped.
///
/// ```
/// # use std::time::Duration;
/// # use serde_json::json;
/// let (Some(redis), Some(python)) = (rig::Redis::start(), rig::Python::start()) else { return };
/// let layer = python.core(&redis.url());
/// let channel = layer.new_channel().wait().unwrap();
/// let received = layer.receive(&channel, Duration::from_secs(5));
/// layer.send(&channel, json!({"type": "chat.message", "text": "hi"})).wait().unwrap();
/// assert_eq!(received.wait().unwrap().unwrap()["text"], "hi");
/// ```
#[derive(Clone, Debug)]
pub struct Python {
    process: Arc<Process>,
}

impl Python {
    /// Starts it; `None` where `cargo xtask install` has not made its virtual environment.
    ///
    /// # Panics
    ///
    /// When it is missing and [`programs::required`].
    #[must_use]
    pub fn start() -> Option<Self> {
        Process::start("peer.py", None).map(|process| Self { process: Arc::new(process) })
    }

    /// Makes a channel layer, as Django does from its settings.
    pub fn layer(&self, options: LayerOptions) -> Pending<Layer> {
        let process = Arc::clone(&self.process);
        let arguments = json!({"kind": options.kind, "config": options.config});
        call(&self.process, "layer", arguments, Duration::ZERO, move |name| Layer {
            process,
            name: name.as_str().expect("a layer has a name").to_owned(),
        })
    }

    /// A core layer on one host with nothing set.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn core(&self, url: &str) -> Layer {
        self.made(LayerOptions::core([url]))
    }

    /// A pubsub layer on one host with nothing set.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn pubsub(&self, url: &str) -> Layer {
        self.made(LayerOptions::pubsub([url]))
    }

    /// Ends the process as a crash does; all calls under way fail.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Stops the process in the midst of whatever it does (SIGSTOP).
    pub fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        self.process.signal("CONT");
    }

    fn made(&self, options: LayerOptions) -> Layer {
        self.layer(options).wait().unwrap_or_else(|error| panic!("no layer: {error}"))
    }
}

/// Bytes, as a value in a message to or from Python: `{"__bytes__": "…"}`, in base64.
///
/// Likewise there are `{"__float__": "inf"}` and `{"__int__": "36893488147419103232"}` for what JSON cannot hold.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Value {
    json!({"__bytes__": STANDARD.encode(bytes)})
}

/// The bytes that [`bytes`] has wrapped; `None` for any other value.
#[must_use]
pub fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.get("__bytes__")?.as_str()?).ok()
}

/// Sends a call that may take this time, on purpose.
pub(crate) fn call<T>(
    process: &Process,
    name: &str,
    arguments: Value,
    within: Duration,
    read: impl FnOnce(Value) -> T + Send + 'static,
) -> Pending<T> {
    Pending::new(process.call(name, arguments), PATIENCE + within, Arc::clone(&process.log), read)
}
