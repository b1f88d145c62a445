//! Names of tables and columns as people read them.

/// `created_at` is `Created at`, and `author_id`, where it points at a row, `Author`.
pub(super) fn title(name: &str, points: bool) -> String {
    let name = if points { name.strip_suffix("_id").unwrap_or(name) } else { name };
    let words: Vec<String> = name
        .split('_')
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(at, word)| match word {
            "id" | "url" | "uuid" | "ip" | "isbn" | "html" | "json" => word.to_uppercase(),
            _ if at == 0 => capitalised(word),
            _ => word.to_owned(),
        })
        .collect();
    if words.is_empty() { name.to_owned() } else { words.join(" ") }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// One of what a table holds, which may be called by many: `books` is `book`.
pub(super) fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["ses", "xes", "ches", "shes"] {
        if name.ends_with(end) {
            return name[..name.len() - 2].to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// Many of them: `story` is `stories`.
pub(super) fn plural(name: &str) -> String {
    if let Some(stem) = name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    if ["s", "x", "ch", "sh"].iter().any(|end| name.ends_with(end)) {
        return format!("{name}es");
    }
    format!("{name}s")
}

/// What names of columns speak of that are better not shown. `docs/admin.md` has the list.
const SECRETS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private_key",
    "access_key",
    "signing_key",
    "encryption_key",
];

/// Whether a column of this name is better not shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        assert_eq!(title("created_at", false), "Created at");
        assert_eq!(title("author_id", true), "Author");
        assert_eq!(title("author_id", false), "Author ID");
        for (one, many) in [("book", "books"), ("story", "stories"), ("box", "boxes"), ("class", "classes")] {
            assert_eq!(plural(one), many);
            assert_eq!(singular(many), one);
        }
        assert_eq!(singular("status"), "status");
    }
}
