use std::{borrow::Cow, collections::BTreeMap, convert::Infallible, fmt};

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};

use super::tokens::text_of;

/// The cookies that came with a request, read by the rules of Django's `parse_cookie`.
///
/// ```
/// use narrows::scope::Cookies;
///
/// let cookies = Cookies::parse("sessionid=abc; theme=\"dark\\054 blue\"; sessionid=def");
/// assert_eq!(cookies.get("sessionid"), Some("def"));
/// assert_eq!(cookies.get("theme"), Some("dark, blue"));
/// assert_eq!(cookies.get("csrftoken"), None);
/// ```
///
/// As an extractor it never fails: a request without cookies has none, and junk is read as Django reads it.
///
/// * Pairs are split at `;`, each at its first `=`, and both sides trimmed. A piece without `=` is the value
///   of the cookie with the empty name.
/// * The last of several cookies with one name wins.
/// * A value in double quotes is unquoted, with `\"`, `\\` and octal escapes as in `\054`.
/// * *All* `Cookie` headers count, as HTTP/2 clients may split them. Channels reads the first one only.
/// * A header that is valid UTF-8 is read as such, any other as Latin-1.
///
/// The text is copied into one block of its exact size, so that cookies may be kept for as long as a socket
/// lives: a header value would keep the whole read buffer of the request alive. The `Debug` form shows the
/// names only, because values are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cookies {
    /// All names and values, one after the other, without separators.
    text: Box<str>,
    /// Where each name and its value end in `text`, in the order of the names.
    ends: Box<[(u32, u32)]>,
}

impl Cookies {
    /// Reads the text of one `Cookie` header.
    ///
    /// ```
    /// # use narrows::scope::Cookies;
    /// assert_eq!(Cookies::parse("a=b=c").get("a"), Some("b=c"));
    /// ```
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let mut found = BTreeMap::new();
        collect(header, &mut found);
        Self::pack(&found)
    }

    /// Reads every `Cookie` header of a request.
    ///
    /// ```
    /// # use narrows::scope::Cookies;
    /// let mut headers = http::HeaderMap::new();
    /// headers.append("cookie", "a=1".parse()?);
    /// headers.append("cookie", "b=2".parse()?);
    ///
    /// let cookies = Cookies::from_headers(&headers);
    /// assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let lines: Vec<_> = headers.get_all(header::COOKIE).iter().map(|line| text_of(line)).collect();
        Self::from_lines(lines.iter().map(Cow::as_ref))
    }

    pub(super) fn from_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut found = BTreeMap::new();
        for line in lines {
            collect(line, &mut found);
        }
        Self::pack(&found)
    }

    /// The value of the cookie with this name; names are case-sensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        // The entries are sorted by name.
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, value) = self.entry(middle);
            match found.cmp(name) {
                std::cmp::Ordering::Equal => return Some(value),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// All cookies as pairs of name and value, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        (0..self.ends.len()).map(|index| self.entry(index))
    }

    /// How many cookies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no cookie at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn entry(&self, index: usize) -> (&str, &str) {
        let start = if index == 0 { 0 } else { self.ends[index - 1].1 };
        let (name_end, value_end) = self.ends[index];
        (&self.text[start as usize..name_end as usize], &self.text[name_end as usize..value_end as usize])
    }

    fn pack(found: &BTreeMap<&str, Cow<'_, str>>) -> Self {
        let mut text =
            String::with_capacity(found.iter().map(|(name, value)| name.len() + value.len()).sum());
        let mut ends = Vec::with_capacity(found.len());
        for (name, value) in found {
            text.push_str(name);
            let name_end = text.len();
            text.push_str(value);
            // No server hands out a header section of 4 GiB; if one did, the rest would not be looked at.
            let (Ok(name_end), Ok(value_end)) = (u32::try_from(name_end), u32::try_from(text.len())) else {
                break;
            };
            ends.push((name_end, value_end));
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookies")?;
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl<S: Sync> FromRequestParts<S> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::from_headers(&parts.headers))
    }
}

fn collect<'a>(header: &'a str, found: &mut BTreeMap<&'a str, Cow<'a, str>>) {
    for piece in header.split(';') {
        let (name, value) = piece.split_once('=').unwrap_or(("", piece));
        let (name, value) = (name.trim(), value.trim());
        if !(name.is_empty() && value.is_empty()) {
            found.insert(name, unquote(value));
        }
    }
}

fn unquote(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        None => Cow::Borrowed(value),
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(inner) => Cow::Owned(unescape(inner)),
    }
}

fn unescape(mut rest: &str) -> String {
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = if let Some(octal) = after.as_bytes().first_chunk().and_then(octal) {
            text.push(octal);
            &after[3..]
        } else if let Some(escaped) = after.chars().next() {
            text.push(escaped);
            &after[escaped.len_utf8()..]
        } else {
            text.push('\\');
            after
        };
    }
    text.push_str(rest);
    text
}

fn octal(digits: &[u8; 3]) -> Option<char> {
    match digits {
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            Some(char::from((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0')))
        }
        _ => None,
    }
}
