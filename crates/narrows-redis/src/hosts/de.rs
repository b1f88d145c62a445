use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::options::{Options, cert_reqs};
use super::{Host, PORT, ParseHostError, Place, url};

/// See [`Host`] for the forms.
impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms)
    }
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Host;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a Redis host: a URL, [host, port], or a map with address, with host and port, or with sentinels",
        )
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<Host, E> {
        url.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Host, A::Error> {
        let missing = |at| A::Error::invalid_length(at, &"a host and a port");
        let host: String = items.next_element()?.ok_or_else(|| missing(0))?;
        let port = items.next_element()?.ok_or_else(|| missing(1))?;
        // More items mean nothing, as in channels_redis.
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Options::default().host(Place::Tcp { host, port }).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Host, A::Error> {
        let settings = Settings::deserialize(MapAccessDeserializer::new(map))?;
        settings.host().map_err(A::Error::custom)
    }
}

/// A host as a map: the keyword arguments of redis-py, and those of channels_redis.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    address: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    sentinels: Option<Vec<(String, u16)>>,
    master_name: Option<String>,
    sentinel_kwargs: Option<SentinelKwargs>,
    db: Option<i64>,
    username: Option<String>,
    password: Option<Secret>,
    ssl: Option<bool>,
    ssl_ca_certs: Option<PathBuf>,
    ssl_certfile: Option<PathBuf>,
    ssl_keyfile: Option<PathBuf>,
    ssl_cert_reqs: Option<String>,
    ssl_check_hostname: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentinelKwargs {
    username: Option<String>,
    password: Option<Secret>,
}

/// A text that no error shows, as serde's own would where it is not a text.
struct Secret(String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Other(IgnoredAny),
        }
        match Either::deserialize(deserializer)? {
            Either::Text(text) => Ok(Self(text)),
            Either::Other(_) => Err(D::Error::custom("a password is a text: it stands in quotes")),
        }
    }
}

impl Settings {
    fn host(self) -> Result<Host, ParseHostError> {
        let given = [
            ("address", self.address.is_some()),
            ("sentinels", self.sentinels.is_some()),
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        if let (Some(first @ ("address" | "sentinels")), Some(second)) = (given.next(), given.next()) {
            return Err(ParseHostError::Conflict { first, second });
        }
        if self.sentinels.is_none() {
            let of_sentinels = [
                ("master_name", self.master_name.is_some()),
                ("sentinel_kwargs", self.sentinel_kwargs.is_some()),
            ];
            if let Some((setting, _)) = of_sentinels.into_iter().find(|(_, given)| *given) {
                return Err(ParseHostError::Needs { setting, needs: "sentinels" });
            }
        }
        let options = Options {
            username: self.username,
            password: self.password.map(|Secret(text)| text),
            db: self.db,
            ssl: self.ssl,
            ssl_ca_certs: self.ssl_ca_certs,
            ssl_certfile: self.ssl_certfile,
            ssl_keyfile: self.ssl_keyfile,
            verify: self.ssl_cert_reqs.as_deref().map(cert_reqs).transpose()?,
            ssl_check_hostname: self.ssl_check_hostname,
        };
        if let Some(address) = self.address {
            return at_address(&address, options);
        }
        options.host(match self.sentinels {
            Some(sentinels) => {
                let SentinelKwargs { username, password } = self.sentinel_kwargs.unwrap_or_default();
                let master = self.master_name.ok_or(ParseHostError::NoMaster)?;
                let password = password.map(|Secret(text)| text);
                Place::Sentinel { sentinels, master, username, password }
            }
            None => Place::Tcp {
                host: self.host.unwrap_or_else(|| "localhost".to_owned()),
                port: self.port.unwrap_or(PORT),
            },
        })
    }
}

/// What a URL says goes before the other settings, as in redis-py.
fn at_address(address: &str, settings: Options) -> Result<Host, ParseHostError> {
    let (place, mut options) = url::parse(address)?;
    match (options.ssl, settings.ssl) {
        (Some(true), Some(false)) => {
            return Err(ParseHostError::Conflict { first: "rediss://", second: "ssl = false" });
        }
        // redis:// says nothing against TLS.
        (Some(false), Some(true)) => options.ssl = None,
        _ => {}
    }
    options.or(settings).host(place)
}
