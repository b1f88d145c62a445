//! Which static files refer to which: to those that are in one version with them.
//!
//! Nothing is parsed, so that nothing can be parsed wrongly. Each text that could be a path counts where there is a file at
//! that path. One text too many only gives two files one version; one that is not seen – a path that a script puts together –
//! is answered without the long cache.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The extensions of files that name others.
const TEXTS: [&str; 9] = ["css", "js", "mjs", "html", "htm", "svg", "json", "webmanifest", "xml"];
/// Paths are not longer.
const MAX_PATH: usize = 512;

/// The names of the files that this one refers to.
pub(crate) fn references<'a>(
    name: &str,
    content: &[u8],
    files: &'a BTreeMap<String, Vec<u8>>,
) -> Vec<&'a String> {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let Some(text) = std::str::from_utf8(content).ok().filter(|_| TEXTS.contains(&extension.as_str())) else {
        return Vec::new();
    };
    let written = candidates(text).filter(|path| !path.is_empty());
    // As it is, and as a browser reads it: `a%20b.svg`.
    let paths = written.flat_map(|path| [Cow::Borrowed(path), percent_decode_str(path).decode_utf8_lossy()]);
    let found = paths.filter_map(|path| resolve(name, &path));
    found.filter_map(|path| files.get_key_value(&path).map(|(name, _)| name)).collect()
}

/// What is in quotes or brackets, or follows `sourceMappingURL=`.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().filter_map(|(at, sign)| {
        let ends: &[char] = match sign {
            '"' => &['"', '\n'],
            '\'' => &['\'', '\n'],
            '`' => &['`', '\n'],
            '(' => &[')', '\n', '"', '\''],
            '=' => &['\n', ' ', '\t', '\r', '"', '\'', '>'],
            _ => return None,
        };
        let rest = &text[at + 1..];
        // A path is short: what is longer is not looked through to its end.
        let window = rest.char_indices().map_while(|(at, sign)| (at < MAX_PATH).then_some((at, sign)));
        let end = window.filter(|(_, sign)| ends.contains(sign)).map(|(at, _)| at).next();
        let end = end.or_else(|| (rest.len() < MAX_PATH).then_some(rest.len()))?;
        Some(rest[..end].trim())
    })
}

/// A path as it is written in this file, as a name.
fn resolve(file: &str, path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() || path.starts_with('/') || path.contains(':') {
        return None;
    }
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(folders.pop()?),
            name => folders.push(name),
        }
    }
    Some(folders.join("/"))
}
