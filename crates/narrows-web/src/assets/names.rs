use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a segment of a path as it is: RFC 3986, 3.3, `pchar` without what HTML or a shell would make something of.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'*')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'@');

/// A path whose segments are percent-encoded, with its slashes.
pub(crate) fn percent_encoded(path: &str) -> String {
    let segments: Vec<String> =
        path.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
    segments.join("/")
}

/// Whether it is the name of a file below a folder: nothing of it leads anywhere else, is hidden, or is left behind by an editor.
/// `narrows_build` has the same rules.
pub(super) fn is_good(name: &str) -> bool {
    const ENDINGS: [&str; 6] = ["~", ".swp", ".swo", ".tmp", ".bak", ".orig"];
    name.split('/').all(|part| {
        let left_out = part.starts_with('.')
            || ENDINGS.iter().any(|ending| part.ends_with(ending))
            || (part.starts_with('#') && part.ends_with('#'));
        let possible = !part.is_empty()
            && !part.contains(|sign: char| matches!(sign, '\\' | ':') && cfg!(windows) || sign == '\\')
            && !part.contains(char::is_control);
        !left_out && possible
    })
}
