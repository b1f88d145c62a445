use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// How a content is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    None,
}

impl Encoding {
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::None => None,
        }
    }

    /// What an entity tag ends with: each form is another representation.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Gzip => "-gz",
            Self::None => "",
        }
    }
}

/// The one of these that the client likes best; of several that it likes alike the first: RFC 9110, 12.5.3. A client that wants
/// nothing as it is gets it as it is, where there is nothing else.
pub(super) fn best(request: &HeaderMap, offered: &[Encoding]) -> Encoding {
    let lines = request.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let wanted: Vec<(String, f32)> = lines.flat_map(|line| line.split(',')).filter_map(wish).collect();
    let quality = |names: &[&str]| {
        let named = wanted.iter().find(|(name, _)| names.contains(&name.as_str()));
        named.or_else(|| wanted.iter().find(|(name, _)| name == "*")).map(|(_, quality)| *quality)
    };
    // What is not named is not wanted, but for the content as it is, which counts less than all that is named.
    let mut best = (Encoding::None, quality(&["identity"]).unwrap_or(0.001));
    for encoding in offered.iter().rev() {
        let names: &[&str] = match encoding {
            Encoding::Brotli => &["br"],
            Encoding::Gzip => &["gzip", "x-gzip"],
            Encoding::None => continue,
        };
        let quality = quality(names).unwrap_or(0.0);
        if quality > 0.0 && quality >= best.1 {
            best = (*encoding, quality);
        }
    }
    best.0
}

/// `gzip;q=0.5`.
fn wish(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';');
    let name = parts.next()?.trim().to_ascii_lowercase();
    let quality = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().unwrap_or(0.0))
    });
    (!name.is_empty()).then_some((name, quality.unwrap_or(1.0)))
}
