use std::fmt;

/// The name of a project: of its package, its program and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

/// Why a name is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameError {
    #[error("the name {name:?} does not do: {ALLOWED}")]
    Letters { name: String },
    #[error("{name} is a word of Rust's own; {ALLOWED}")]
    Keyword { name: String },
    #[error(
        "{name} is the name of something that the project uses, or of a folder of cargo's; choose another"
    )]
    Taken { name: String },
}

const ALLOWED: &str = "use up to 64 small letters (a to z) and digits, with single - or _ between them, beginning with a letter";

const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false \
    final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct \
    super trait true try type typeof union unsafe unsized use virtual where while yield";

/// Crates that a project names beside ours, those that Rust brings along, and cargo's own folders.
const CRATES: &str =
    "alloc axum build core deps examples garde incremental proc_macro serde serde_json std test tests tokio";

impl Name {
    pub(crate) fn new(name: &str) -> Result<Self, NameError> {
        let is_legal = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 64
            && name.split(['-', '_']).all(is_word);
        if !is_legal {
            return Err(NameError::Letters { name: name.to_owned() });
        }
        let this = Self(name.to_owned());
        refuse(name, &this.module())?;
        Ok(this)
    }

    /// As it stands in Rust.
    pub(crate) fn module(&self) -> String {
        self.0.replace('-', "_")
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Small letters and digits: what stands between two of the signs that lints, docker and systemd take only singly.
pub(crate) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Refuses what a module or a crate cannot be called.
pub(crate) fn refuse(name: &str, module: &str) -> Result<(), NameError> {
    if KEYWORDS.split_whitespace().any(|word| word == module) {
        return Err(NameError::Keyword { name: name.to_owned() });
    }
    if CRATES.split_whitespace().any(|word| word == module) || module.split('_').next() == Some("narrows") {
        return Err(NameError::Taken { name: name.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_cargo_and_rust_take() {
        for name in ["a", "mysite", "my-site", "my_site2", "x-9"] {
            assert!(Name::new(name).is_ok(), "{name}");
        }
        let long = "a".repeat(65);
        for name in
            ["", "My", "2site", "-a", "_a", "a-", "a__b", "a b", "a.b", "../a", "größe", "a/b", "a\nb", &long]
        {
            assert!(matches!(Name::new(name), Err(NameError::Letters { .. })), "{name}");
        }
        assert!(matches!(Name::new("match"), Err(NameError::Keyword { .. })));
        for name in ["test", "std", "tokio", "core", "narrows", "narrows-web", "narrows_x"] {
            assert!(matches!(Name::new(name), Err(NameError::Taken { .. })), "{name}");
        }
    }
}
