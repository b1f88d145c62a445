//! The JavaScript client, as a server gives it to browsers.
//!
//! It is part of the binary: a site needs no Node and no copy of a file. The names hold a hash of the content, so that a
//! browser keeps a file for as long as it likes and fetches the next version at once.
//!
//! ```
//! use axum::{Router, response::Html, routing::get};
//! use narrows::client;
//!
//! async fn page() -> Html<String> {
//!     Html(format!(
//!         r#"<script type="module">
//!             import {{ Narrows }} from "{module}";
//!             const client = new Narrows("/ws/chat/lobby/");
//!             client.on("message", (message) => console.log(message));
//!         </script>"#,
//!         module = client::module_path(),
//!     ))
//! }
//!
//! let app: Router = Router::new().route("/", get(page)).merge(client::routes());
//! # drop(app);
//! assert!(client::script_path().starts_with("/narrows/narrows."));
//! ```
//!
//! For pages without modules, `<script src="{script_path}">` defines `window.Narrows`.
//! The same client is the npm package `narrows-client`, for sites that bundle their scripts.

mod file;

use axum::Router;

use self::file::File;

static SCRIPT: File = File::new(include_bytes!("../../client/narrows.js"), "js");
static MODULE: File = File::new(include_bytes!("../../client/narrows.mjs"), "mjs");

/// The routes of both files, for any state.
///
/// They answer GET and HEAD, may be kept for a year, and for ever by caches that know `immutable`. To serve them elsewhere,
/// nest them: the paths then begin with that prefix, too.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(SCRIPT.path(), SCRIPT.route()).route(MODULE.path(), MODULE.route())
}

/// The path of the classic script, such as `/narrows/narrows.0f3c9a1b2c3d4e5f.js`.
pub fn script_path() -> &'static str {
    SCRIPT.path()
}

/// The path of the module, such as `/narrows/narrows.0f3c9a1b2c3d4e5f.mjs`.
pub fn module_path() -> &'static str {
    MODULE.path()
}
