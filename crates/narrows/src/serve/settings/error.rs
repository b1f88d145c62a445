use std::io;
use std::path::PathBuf;

use super::source::Source;

/// Why the settings could not be loaded.
///
/// ```
/// use narrows::serve::settings::{Program, Settings};
///
/// let error = Settings::load(&Program::new("chat", "1.0.0"), ["--shard", "2"], [("", ""); 0]).unwrap_err();
/// assert_eq!(error.to_string(), "chat has no flag --shard; did you mean --shards?");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A value that its setting does not accept.
    #[error("{name}: {value} from {origin} {problem}")]
    Value {
        /// The setting's name.
        name: String,
        /// The value as it was written; a secret one is not repeated.
        value: String,
        /// Where the value was written.
        origin: Source,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A flag that the program does not know.
    #[error("{program} has no flag {flag}{}", hint.as_ref().map_or_else(
        || "; --help lists them all".to_owned(),
        |name| format!("; did you mean {name}?"),
    ))]
    UnknownFlag {
        /// The program's name.
        program: String,
        /// The flag as it was written.
        flag: String,
        /// The nearest flag there is, if one is near.
        hint: Option<String>,
    },
    /// A key in the file that is no setting.
    #[error("{key} in {origin} is not a setting{}", hint.as_ref().map_or_else(
        String::new,
        |name| format!("; did you mean {name}?"),
    ))]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// File and line.
        origin: Source,
        /// The nearest setting there is, if one is near.
        hint: Option<String>,
    },
    /// A flag at the end of the line whose value is missing.
    #[error("{flag} needs a value: {accepts}")]
    MissingValue {
        /// The flag as it was written.
        flag: String,
        /// What it accepts.
        accepts: String,
    },
    /// An argument that is neither a flag nor a flag's value.
    #[error("{program} takes no argument {argument:?}; its settings are written --name value")]
    UnexpectedArgument {
        /// The program's name.
        program: String,
        /// The argument as it was written.
        argument: String,
    },
    /// An argument or variable that is not UTF-8.
    #[error("{origin} is not valid UTF-8")]
    NotUnicode {
        /// Where the bytes were.
        origin: String,
    },
    /// The settings file could not be read.
    #[error("cannot read the settings file {} (from {origin}): {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: Source,
        /// What the system said.
        source: io::Error,
    },
    /// The settings file is not TOML.
    #[error("{origin} is not valid TOML: {message}")]
    ParseFile {
        /// File and line.
        origin: Source,
        /// What the parser said.
        message: String,
    },
    /// Two settings, each right by itself, that do not go together.
    #[error("{first} ({first_origin}) and {second} ({second_origin}) do not go together: {problem}")]
    Conflict {
        /// The setting that is at fault.
        first: &'static str,
        /// Where it came from.
        first_origin: Source,
        /// The setting that it clashes with.
        second: &'static str,
        /// Where that one came from.
        second_origin: Source,
        /// Why, and what to do.
        problem: String,
    },
}
