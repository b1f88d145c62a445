use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::Reload;
use crate::Site;

/// What a page loads, by its address: a policy of `script-src 'self'` lets it.
const TAG: &str = r#"<script src="/__narrows__/reload.js" defer></script>"#;
const SCRIPT: &str = include_str!("reload.js");

pub(super) async fn answer(State((_, _)): State<(Arc<Reload>, Site)>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-store")], SCRIPT)
}

/// The page with the script before the last `</body>`, and what the page is of. A text without an end of a page is none.
pub(super) fn insert(page: &[u8], state: &str) -> Option<Vec<u8>> {
    const END: &[u8] = b"</body>";
    let at = page.windows(END.len()).rposition(|text| text.eq_ignore_ascii_case(END))?;
    let mut whole = page[..at].to_vec();
    whole.extend_from_slice(format!("<meta name=\"narrows-process\" content=\"{state}\">{TAG}\n").as_bytes());
    whole.extend_from_slice(&page[at..]);
    Some(whole)
}
