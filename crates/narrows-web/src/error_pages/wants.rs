use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

/// In which form a client takes an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Html,
    Json,
    Text,
}

impl Wants {
    /// By `Accept`: a browser that opens a page names HTML. Who names nothing, but sends JSON, reads JSON too.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut html, mut json) = (0.0_f32, 0.0_f32);
        let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        for range in lines.flat_map(|line| line.split(',')) {
            let mut parts = range.split(';');
            let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.trim().parse::<f32>().ok());
            let quality = quality.unwrap_or(1.0);
            if matches!(kind.as_str(), "text/html" | "application/xhtml+xml") {
                html = html.max(quality);
            } else if kind == "application/json" || kind.ends_with("+json") {
                json = json.max(quality);
            }
        }
        let sends_json =
            || headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if html > 0.0 && html >= json {
            Self::Html
        } else if json > 0.0 || sends_json() {
            Self::Json
        } else {
            Self::Text
        }
    }
}
