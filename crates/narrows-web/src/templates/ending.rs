//! What a template makes, by the ending of its name: how it is sent, and how values are written into it.

use minijinja::AutoEscape;

/// What the name of a template may have behind its ending, for editors.
const OF_JINJA: [&str; 3] = [".j2", ".jinja", ".jinja2"];

/// The type of what a template of this name makes. What is not known is a page.
pub(crate) fn content_type(name: &str) -> &'static str {
    match ending(name) {
        "atom" => "application/atom+xml; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "rss" => "application/rss+xml; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "xhtml" => "application/xhtml+xml; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "yaml" | "yml" => "application/yaml",
        _ => "text/html; charset=utf-8",
    }
}

/// How values are written: all that a browser could take for HTML has them escaped.
pub(super) fn escaping(name: &str) -> AutoEscape {
    match ending(name) {
        "css" | "csv" | "md" | "txt" => AutoEscape::None,
        "js" | "json" | "mjs" | "webmanifest" | "yaml" | "yml" => AutoEscape::Json,
        _ => AutoEscape::Html,
    }
}

fn ending(name: &str) -> &str {
    let name = OF_JINJA.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}
