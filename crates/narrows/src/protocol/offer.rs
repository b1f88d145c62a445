use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue};
use narrows_core::Position;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::{Positions, SUBPROTOCOL};

/// What a client that speaks `narrows.v1` said of itself in its handshake. What did not parse is not here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The client's own name, of 22 characters: the same as long as it lives.
    pub(crate) client: Option<Box<str>>,
    /// A resume token, not opened yet.
    pub(crate) token: Option<Box<str>>,
    /// What it had last of each group, the newest first.
    pub(crate) positions: Positions,
}

/// All that begins so is ours, once the client has offered [`SUBPROTOCOL`].
const OURS: &str = "narrows.";
const CLIENT: &str = "narrows.client.";
const RESUME: &str = "narrows.resume.";
const AT: &str = "narrows.at.";

/// The most bytes of JSON that say where a client is, and of a token: more is junk.
const MAX_POSITIONS: usize = 4096;
pub(crate) const MAX_TOKEN: usize = 4096;

impl Offer {
    /// Takes what is ours out of the subprotocols; `None` where the client does not speak `narrows.v1`.
    pub(crate) fn take(offered: &mut Vec<String>) -> Option<Self> {
        if !offered.iter().any(|item| item == SUBPROTOCOL) {
            return None;
        }
        let mut offer = Self::default();
        for item in offered.extract_if(.., |item| item.starts_with(OURS)) {
            if let Some(client) = item.strip_prefix(CLIENT) {
                offer.client = offer.client.or_else(|| client_id(client));
            } else if let Some(token) = item.strip_prefix(RESUME) {
                offer.token = offer.token.or_else(|| (token.len() <= MAX_TOKEN).then(|| token.into()));
            } else if let Some(positions) = item.strip_prefix(AT)
                && offer.positions.is_empty()
            {
                offer.positions = read_positions(positions).unwrap_or_default();
            }
        }
        Some(offer)
    }

    /// Takes what is ours out of the header as well: an extractor is to see the site's own subprotocols, and no token
    /// of ours.
    pub(crate) fn hide(offered: &[String], headers: &mut HeaderMap) {
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        if !offered.is_empty() {
            let rest = HeaderValue::try_from(offered.join(", ")).expect("parts of a header make a header");
            headers.insert(SEC_WEBSOCKET_PROTOCOL, rest);
        }
    }
}

/// 128 bits in base64url, without padding.
fn client_id(text: &str) -> Option<Box<str>> {
    let bytes = (text.len() == 22).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
    (bytes.len() == 16).then(|| text.into())
}

/// Reads `{"group":"position",…}` from base64url. A position that is none is passed over.
fn read_positions(text: &str) -> Option<Positions> {
    if text.len() > MAX_POSITIONS.div_ceil(3) * 4 {
        return None;
    }
    let json = URL_SAFE_NO_PAD.decode(text).ok().filter(|json| json.len() <= MAX_POSITIONS)?;
    let mut reader = serde_json::Deserializer::from_slice(&json);
    let positions = reader.deserialize_map(Entries).ok()?;
    reader.end().ok()?;
    Some(Positions::new(positions))
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Position)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("positions by group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut positions: Self::Value = Vec::new();
        while let Some(group) = map.next_key::<String>()? {
            let Entry(position) = map.next_value()?;
            positions.extend(position.map(|position| (group, position)));
        }
        Ok(positions)
    }
}

/// A position, or anything else.
struct Entry(Option<Position>);

impl<'de> serde::Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Any {
            Text(String),
            Other(IgnoredAny),
        }
        Ok(match serde::Deserialize::deserialize(deserializer)? {
            Any::Text(text) => Self(text.parse().ok()),
            Any::Other(_) => Self(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(items: &[&str]) -> (Option<Offer>, Vec<String>) {
        let mut offered: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
        (Offer::take(&mut offered), offered)
    }

    fn at(json: &str) -> String {
        format!("{AT}{}", URL_SAFE_NO_PAD.encode(json))
    }

    #[test]
    fn what_is_ours_is_taken_and_the_rest_stays_in_its_order() {
        let positions = at(r#"{"room.b":"9f-12","room.a":"1-0"}"#);
        let items = ["chat.v2", SUBPROTOCOL, "narrows.client.AAAAAAAAAAAAAAAAAAAAAA", "narrows.resume.xyz"];
        let (offer, rest) = offer(&[&items[..], &[&positions, "chat.v1"]].concat());
        let offer = offer.unwrap();
        assert_eq!(rest, ["chat.v2", "chat.v1"]);
        assert_eq!(offer.client.as_deref(), Some("AAAAAAAAAAAAAAAAAAAAAA"));
        assert_eq!(offer.token.as_deref(), Some("xyz"));
        let position = |epoch, offset| Position { epoch, offset };
        let read = [("room.b".to_owned(), position(0x9f, 12)), ("room.a".to_owned(), position(1, 0))];
        assert_eq!(offer.positions, Positions::new(read));
    }

    #[test]
    fn without_the_protocols_name_nothing_is_ours() {
        let (offer, rest) = offer(&["narrows.client.AAAAAAAAAAAAAAAAAAAAAA", "narrows.v2"]);
        assert_eq!((offer, rest.len()), (None, 2));
    }

    #[test]
    fn junk_is_passed_over() {
        let long = at(&format!(r#"{{"room":"{}"}}"#, "x".repeat(4096)));
        let token = format!("{RESUME}{}", "x".repeat(MAX_TOKEN + 1));
        let nested = at(&"[".repeat(3000));
        for junk in ["narrows.client.short", "narrows.", "narrows.at.%%%", &long, &token, &nested, &at("{}x")]
        {
            assert_eq!(offer(&[SUBPROTOCOL, junk]).0, Some(Offer::default()), "{junk}");
        }
        let (some, _) = offer(&[SUBPROTOCOL, &at(r#"{"a":7,"b":{"c":[1]},"d":"x-y","e":"2-3"}"#)]);
        let read = [("e".to_owned(), Position { epoch: 2, offset: 3 })];
        assert_eq!(some.unwrap().positions, Positions::new(read));
    }

    #[test]
    fn no_more_is_kept_than_came() {
        let entries: Vec<String> = (0..378).map(|n| format!("\"{}\":\"1-0\"", n % 10)).collect();
        let json = format!("{{{}}}", entries.join(","));
        let (offer, _) = offer(&[SUBPROTOCOL, &at(&json)]);
        let positions = offer.unwrap().positions;
        assert!(!positions.is_empty() && positions.kept_bytes() <= json.len(), "{}", positions.kept_bytes());
    }
}
