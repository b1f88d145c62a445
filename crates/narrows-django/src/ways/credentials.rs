//! Where a request keeps a token.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;

/// The subprotocols that were taken out of a handshake because they carry a token.
#[derive(Clone, Default)]
struct Taken(Vec<Box<str>>);

/// What was offered as subprotocols with this [prefix](super::WayIn::subprotocol_prefix), without it and with
/// `%3A` and the like read as what they stand for: not every character of a token can be in a subprotocol.
pub fn subprotocol_tokens<'a>(parts: &'a Parts, prefix: &str) -> impl Iterator<Item = Cow<'a, str>> {
    let taken = parts.extensions.get::<Taken>().map_or(&[][..], |taken| &taken.0);
    let tokens = taken.iter().filter_map(move |item| item.strip_prefix(prefix));
    // Fails where it is not UTF-8, and no token is that.
    tokens.filter_map(|token| percent_decode_str(token).decode_utf8().ok())
}

/// What Narrows' own subprotocols begin with: none of them is a token of the site's.
const NARROWS: &str = "narrows.";

/// Takes the subprotocols with this prefix out of the headers.
pub(super) fn take_subprotocols(headers: &mut HeaderMap, extensions: &mut http::Extensions, prefix: &str) {
    let offered: Vec<HeaderValue> = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
    let is_token = |item: &&str| item.starts_with(prefix) && !item.starts_with(NARROWS);
    let has_tokens = |line: &HeaderValue| items(line).any(|item| is_token(&item));
    // Headers that are none of our business stay as they are, also where they are wrong.
    if !offered.iter().any(has_tokens) {
        return;
    }
    let mut taken = extensions.remove::<Taken>().unwrap_or_default();
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    for line in offered {
        let (tokens, names): (Vec<_>, Vec<_>) = items(&line).partition(is_token);
        taken.0.extend(tokens.into_iter().map(Into::into));
        if line.to_str().is_err() {
            headers.append(SEC_WEBSOCKET_PROTOCOL, line);
        } else if !names.is_empty() {
            let names = HeaderValue::from_str(&names.join(", ")).expect("parts of a header make a header");
            headers.append(SEC_WEBSOCKET_PROTOCOL, names);
        }
    }
    extensions.insert(taken);
}

fn items(line: &HeaderValue) -> impl Iterator<Item = &str> {
    line.to_str().unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The token in `Authorization: <keyword> <token>`, where there is one such header. The keyword's case does not count.
pub(super) fn authorization<'a>(parts: &'a Parts, keyword: &str) -> Option<&'a str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (header, None) = (headers.next()?, headers.next()) else { return None };
    let mut words = header.to_str().ok()?.split_ascii_whitespace();
    let (scheme, token, None) = (words.next()?, words.next()?, words.next()) else { return None };
    scheme.eq_ignore_ascii_case(keyword).then_some(token)
}

/// The last value of this name in the query, as Django takes it.
pub(super) fn query<'a>(parts: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let pairs = parts.uri.query()?.rsplit('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let value =
        pairs.filter(|(key, _)| percent_decode_str(key).eq(name.bytes())).map(|(_, value)| value).next()?;
    percent_decode_str(value).decode_utf8().ok()
}
