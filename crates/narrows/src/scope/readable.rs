use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::handshake::Handshake;

impl Serialize for Handshake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("client", &self.client())?;
        map.serialize_entry("server", &self.server())?;
        map.serialize_entry("scheme", &self.scheme())?;
        // `HTTP/1.1` is how the version's `Debug` form writes it.
        let version = format!("{:?}", self.http_version());
        map.serialize_entry("http_version", version.trim_start_matches("HTTP/"))?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("raw_path", self.raw_path())?;
        map.serialize_entry("root_path", self.root_path())?;
        map.serialize_entry("matched_path", &self.matched_path())?;
        map.serialize_entry("query", self.query())?;
        map.serialize_entry("headers", &Headers(self))?;
        map.serialize_entry("cookies", &self.cookies().iter().collect::<BTreeMap<_, _>>())?;
        map.serialize_entry("subprotocols", &self.subprotocols().iter().collect::<Vec<_>>())?;
        map.end()
    }
}

/// A map, as most readers want: several values of one name are joined.
struct Headers<'a>(&'a Handshake);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut joined: Vec<(&str, String)> = Vec::new();
        for (name, value) in self.0.headers() {
            match joined.iter_mut().find(|(found, _)| *found == name) {
                Some((_, values)) => {
                    // Cookies are the one list that has another separator (RFC 6265).
                    values.push_str(if name == "cookie" { "; " } else { ", " });
                    values.push_str(value);
                }
                None => joined.push((name, value.to_owned())),
            }
        }
        serializer.collect_map(joined)
    }
}
