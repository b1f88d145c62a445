//! Which names count. `narrows-web` has the same rules for the folders that it reads itself.

/// Hidden, or left behind by an editor.
pub(crate) fn is_left_out(name: &str) -> bool {
    const ENDINGS: [&str; 6] = ["~", ".swp", ".swo", ".tmp", ".bak", ".orig"];
    name.starts_with('.')
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || (name.starts_with('#') && name.ends_with('#'))
}

/// Whether it can stand in an address.
pub(crate) fn is_good(name: &str) -> bool {
    !name.contains(|sign: char| sign == '\\' || sign.is_control())
}
