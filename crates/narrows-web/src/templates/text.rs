//! Text in pages: how it is escaped, and filters of it. What makes HTML escapes the text, unless it is safe already.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, Output, State, Value, escape_formatter};

/// Writes a value into a page. As Jinja does, but for three things: an address keeps its slashes, nothing (`none`) is no text, and
/// `true` and `false` are written as in HTML and JavaScript.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match (value.kind(), state.auto_escape()) {
        (ValueKind::None, AutoEscape::Html | AutoEscape::None) => Ok(()),
        (ValueKind::Bool, AutoEscape::Html | AutoEscape::None) => {
            Ok(out.write_str(if value.is_true() { "true" } else { "false" })?)
        }
        (ValueKind::String, AutoEscape::Html) if !value.is_safe() => {
            Ok(out.write_str(&escape(value.as_str().unwrap_or_default()))?)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// Paragraphs at empty lines, `<br>` at the others.
pub(super) fn linebreaks(text: &Value) -> Result<Value, Error> {
    let lines = escaped(text).replace("\r\n", "\n").replace('\r', "\n");
    let paragraphs = lines.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
    let paragraphs: Vec<String> =
        paragraphs.map(|part| format!("<p>{}</p>", part.replace('\n', "<br>"))).collect();
    Ok(Value::from_safe_string(paragraphs.join("\n\n")))
}

/// `<br>` at the end of each line.
pub(super) fn linebreaksbr(text: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(escaped(text).replace("\r\n", "\n").replace(['\r', '\n'], "<br>")))
}

/// The first words, and `…` where there are more.
pub(super) fn truncatewords(text: &str, words: usize) -> String {
    let mut split = text.split_whitespace();
    let kept: Vec<&str> = split.by_ref().take(words).collect();
    let more = if split.next().is_some() { " …" } else { "" };
    format!("{}{more}", kept.join(" "))
}

/// At most this many characters, the last of them `…` where there are more.
pub(super) fn truncatechars(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

/// Links at what looks like an address of the web, with `rel="nofollow"`: it is somebody else's text. With a number the link's text is
/// no longer than that.
pub(super) fn urlize(text: &Value, limit: Option<usize>) -> Result<Value, Error> {
    let plain = text.to_string();
    let mut html = String::new();
    for piece in plain.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        match link(word) {
            Some((before, url, after)) => {
                let shown = limit.map_or_else(|| url.to_owned(), |limit| truncatechars(url, limit));
                let target = if url.starts_with("www.") { format!("https://{url}") } else { url.to_owned() };
                let (before, after) = (escape(before), escape(after));
                let (target, shown) = (escape(&target), escape(&shown));
                html.push_str(&format!("{before}<a href=\"{target}\" rel=\"nofollow\">{shown}</a>{after}"));
            }
            None => html.push_str(&escape(word)),
        }
        html.push_str(space);
    }
    Ok(Value::from_safe_string(html))
}

/// What is before an address, the address, and what follows: brackets and the marks of a sentence are not part of it.
fn link(word: &str) -> Option<(&str, &str, &str)> {
    const MARKS: &[char] = &['.', ',', ':', ';', '!', '?', '"', '\'', ')', ']', '>', '}'];
    let start = ["http://", "https://", "www."].iter().filter_map(|scheme| word.find(scheme)).min()?;
    let (before, rest) = word.split_at(start);
    if before.contains(|sign: char| sign.is_alphanumeric()) {
        return None;
    }
    let mut url = rest.trim_end_matches(MARKS);
    // A bracket that was opened in the address belongs to it.
    if rest[url.len()..].starts_with(')') && url.matches('(').count() > url.matches(')').count() {
        url = &rest[..=url.len()];
    }
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let is_host = host.contains(|sign: char| sign.is_alphanumeric()) && url != "www";
    is_host.then(|| (before, url, &rest[url.len()..]))
}

/// As HTML: a safe text is HTML already.
fn escaped(text: &Value) -> String {
    if text.is_safe() { text.to_string() } else { escape(&text.to_string()) }
}

pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            _ => html.push(sign),
        }
    }
    html
}
