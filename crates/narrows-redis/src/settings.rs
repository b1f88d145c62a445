use narrows_core::PayloadFormat;

use crate::hosts::{ParseHostError, parse_hosts};
use crate::layer::{Kind, ParseKindError, RedisLayer};
use crate::options::{OptionsError, RedisOptions};

/// A layer as a program's flags, environment or file name it, each setting as the text that stands there.
///
/// ```
/// use narrows_redis::LayerSettings;
///
/// let settings = LayerSettings { layer: "redis://127.0.0.1:6379", kind: "core", ..LayerSettings::default() };
/// let options = settings.options()?.expect("it is not the in-memory layer");
/// assert_eq!(options.prefix, "asgi");
/// assert!(LayerSettings::default().options()?.is_none());
/// # Ok::<(), narrows_redis::LayerSettingsError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LayerSettings<'a> {
    /// `memory`, or where Redis is: one URL, or several with spaces or commas between them. Default `memory`.
    pub layer: &'a str,
    /// `pubsub` or `core`. Default `pubsub`.
    pub kind: &'a str,
    /// What the names in Redis begin with. Default `asgi`.
    pub prefix: &'a str,
    /// `msgpack` or `json`. Default `msgpack`.
    pub serializer: &'a str,
    /// The keys with which messages are encrypted; the first writes. Default none.
    pub keys: &'a [String],
}

impl Default for LayerSettings<'_> {
    fn default() -> Self {
        Self { layer: "memory", kind: "pubsub", prefix: "asgi", serializer: "msgpack", keys: &[] }
    }
}

impl<'a> LayerSettings<'a> {
    /// Takes them from where a program has them under the names `layer`, `layer_kind`, `layer_prefix`,
    /// `layer_serializer`; with narrows' settings:
    /// `LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key"))`.
    pub fn read(text: impl Fn(&str) -> &'a str, keys: &'a [String]) -> Self {
        Self {
            layer: text("layer"),
            kind: text("layer_kind"),
            prefix: text("layer_prefix"),
            serializer: text("layer_serializer"),
            keys,
        }
    }

    /// The options for a Redis layer; `None` for the in-memory layer.
    ///
    /// # Errors
    /// [`LayerSettingsError`] names the setting that is wrong.
    pub fn options(&self) -> Result<Option<RedisOptions>, LayerSettingsError> {
        if self.layer == "memory" {
            return Ok(None);
        }
        let format = match self.serializer {
            "msgpack" => PayloadFormat::MsgPack,
            "json" => PayloadFormat::Json,
            other => return Err(LayerSettingsError::Serializer(other.to_owned())),
        };
        let options = RedisOptions::several(parse_hosts(self.layer)?)
            .prefix(self.prefix)
            .format(format)
            .symmetric_encryption_keys(self.keys);
        Ok(Some(options))
    }

    /// The Redis layer; `None` for the in-memory layer, which `narrows::Channels` has by itself.
    ///
    /// # Errors
    /// [`LayerSettingsError`] names the setting that is wrong.
    pub fn build(&self) -> Result<Option<RedisLayer>, LayerSettingsError> {
        let kind: Kind = self.kind.parse()?;
        let layer = self.options()?.map(|options| RedisLayer::new(kind, options));
        Ok(layer.transpose()?)
    }
}

/// Why settings make no layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerSettingsError {
    /// The layer's address.
    #[error("layer: {0}")]
    Layer(#[from] ParseHostError),
    /// The layer's kind.
    #[error("layer kind: {0}")]
    Kind(#[from] ParseKindError),
    /// The serializer.
    #[error("layer serializer: {0:?} is none; there are \"msgpack\" and \"json\"")]
    Serializer(String),
    /// All of them together.
    #[error("layer: {0}")]
    Options(#[from] OptionsError),
}
