//! Whether cargo takes a new project for its own workspace.

use std::fs;
use std::path::{Component, Path};

use toml::{Table, Value};

/// Whether the nearest workspace above does not know the folder, neither as one of its members nor as one that is none: cargo refuses
/// such a package, unless it says that it is a workspace of its own.
pub(super) fn is_stranger(place: &Path) -> bool {
    let nearest = place.ancestors().skip(1).find_map(|root| {
        let text = fs::read_to_string(root.join("Cargo.toml")).ok()?;
        let manifest: Table = text.parse().ok()?;
        Some((root, manifest.get("workspace")?.as_table()?.clone()))
    });
    let Some((root, workspace)) = nearest else { return false };
    let Ok(relative) = place.strip_prefix(root) else { return true };
    !is_named(&workspace, "members", relative) && !is_excluded(&workspace, relative)
}

/// Whether one of the patterns of a list is of this folder.
fn is_named(workspace: &Table, list: &str, folder: &Path) -> bool {
    texts(workspace, list).any(|pattern| {
        let (mut pattern, mut folder) = (names(Path::new(pattern)), names(folder));
        loop {
            match (pattern.next(), folder.next()) {
                (None, None) => return true,
                (Some(pattern), Some(name)) if matches(pattern, name) => {}
                _ => return false,
            }
        }
    })
}

/// A folder that is excluded is so with all that is in it; there are no patterns.
fn is_excluded(workspace: &Table, folder: &Path) -> bool {
    texts(workspace, "exclude").any(|excluded| folder.starts_with(excluded))
}

fn texts<'a>(workspace: &'a Table, list: &str) -> impl Iterator<Item = &'a str> {
    workspace.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn names(path: &Path) -> impl Iterator<Item = &str> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

/// Whether a name fits a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), first) => {
            matches(&pattern[1..], name)
                || first.is_some_and(|first| matches(pattern, &name[first.len_utf8()..]))
        }
        (Some(wanted), Some(first)) if wanted == '?' || wanted == first => {
            matches(&pattern[wanted.len_utf8()..], &name[first.len_utf8()..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_its_pattern() {
        for (pattern, name) in
            [("*", "a"), ("a*", "a"), ("a*c", "abbc"), ("*-x", "größe-x"), ("s?te", "site"), ("a", "a")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "a"), ("a*", "b"), ("a*c", "abcd"), ("s?te", "ste"), ("a", "ab")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
