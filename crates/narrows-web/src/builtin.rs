//! Templates that every site has. One of the same name in the project is taken in their place.

/// The text of a built-in template.
pub(crate) fn template(name: &str) -> Option<&'static str> {
    Some(match name {
        "narrows/forms.html" => include_str!("../templates/narrows/forms.html"),
        _ => return None,
    })
}
