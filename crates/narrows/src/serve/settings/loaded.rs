use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use super::Settings;
use super::check;
use super::error::SettingsError;
use super::file;
use super::flags::{self, Ask, Flags};
use super::nearest::nearest;
use super::program::Program;
use super::render;
use super::setting::Setting;
use super::source::Source;
use super::table::{self, Row};
use super::value::Value;

/// What the command line asks of the program.
///
/// ```
/// use narrows::serve::settings::{Command, Program, Settings};
///
/// let asked = Settings::load(&Program::new("chat", "1.0.0"), ["--version"], [("", ""); 0])?;
/// assert!(matches!(asked, Command::Print(text) if text == "chat 1.0.0\n"));
/// # Ok::<(), narrows::serve::settings::SettingsError>(())
/// ```
#[derive(Debug, Clone)]
pub enum Command {
    /// To run, with these settings.
    Run(Box<Loaded>),
    /// To print this text and to end: `--help`, `--version`, `--print-config`.
    Print(String),
}

/// Settings that were loaded, the program's own among them, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings that every server has.
    pub settings: Settings,
    /// What is odd but no error, such as a variable that is nearly a setting; to be logged.
    pub warnings: Vec<String>,
    entries: Vec<Entry>,
}

/// A setting with the value that won.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) setting: Setting,
    pub(super) value: Value,
    pub(super) source: Source,
}

impl Settings {
    /// Loads the settings from a command line (without the program's name) and an environment.
    ///
    /// ```
    /// use narrows::serve::settings::{Command, Program, Settings, Source};
    ///
    /// let environment = [("NARROWS_SHARDS", "2"), ("NARROWS_LOG", "debug")];
    /// let program = Program::new("chat", "1.0.0");
    /// let Command::Run(loaded) = Settings::load(&program, ["--shards=4"], environment)? else { return Ok(()) };
    /// assert_eq!(loaded.settings.shards, 4);
    /// assert_eq!(loaded.source("shards"), Some(&Source::Flag("--shards".into())));
    /// assert_eq!(loaded.settings.log, "debug");
    /// # Ok::<(), narrows::serve::settings::SettingsError>(())
    /// ```
    ///
    /// A flag wins over the environment, the environment over the file (`--config FILE` or `NARROWS_CONFIG`),
    /// the file over the default. An empty variable counts as not set.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, a name is unknown, a value is not accepted, or two do not go together.
    pub fn load<K, V>(
        program: &Program,
        args: impl IntoIterator<Item = impl Into<OsString>>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Command, SettingsError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let rows = table::rows();
        let table: Vec<&Setting> = rows.iter().map(|row| &row.setting).chain(&program.own).collect();
        let flags = Flags::read(program, &table, args.into_iter().map(Into::into))?;
        match flags.ask {
            Some(Ask::Help) => return Ok(Command::Print(render::help(program, &table))),
            Some(Ask::Version) => {
                return Ok(Command::Print(format!("{} {}\n", program.name, program.version)));
            }
            Some(Ask::Config) | None => {}
        }
        let environment = variables(&table, environment);
        let warnings = strangers(&table, &environment);
        let ask = flags.ask;
        let mut entries = merge(program, &table, flags, &environment)?;
        let settings = fill(&rows, &mut entries)?;
        if ask == Some(Ask::Config) {
            return Ok(Command::Print(render::config(program, &entries)));
        }
        Ok(Command::Run(Box::new(Loaded { settings, warnings, entries })))
    }

    /// Loads the settings of this process; where they are asked for or wrong, prints and ends it.
    ///
    /// ```no_run
    /// use narrows::serve::settings::{Program, Settings};
    ///
    /// let loaded = Settings::from_process(&Program::new("chat", env!("CARGO_PKG_VERSION")));
    /// println!("listening on {:?}", loaded.settings.bind);
    /// ```
    ///
    /// The exit code is 0 after a text that was asked for, and 2 after an error.
    #[must_use]
    pub fn from_process(program: &Program) -> Loaded {
        match Self::load(program, std::env::args_os().skip(1), std::env::vars_os()) {
            Ok(Command::Run(loaded)) => *loaded,
            Ok(Command::Print(text)) => {
                print!("{text}");
                process::exit(0);
            }
            Err(error) => {
                eprintln!("{}: {error}", program.name);
                process::exit(2);
            }
        }
    }
}

impl Loaded {
    /// Where a setting's value came from; `None` when there is no such setting.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.entries.iter().find(|entry| entry.setting.name == name).map(|entry| &entry.source)
    }

    /// The value of a duration that the program added.
    ///
    /// # Panics
    ///
    /// As the other readers, when the program added no setting of this name and kind.
    #[must_use]
    pub fn duration(&self, name: &str) -> Duration {
        match self.value(name) {
            Value::Duration(value) => *value,
            _ => panic!("the setting {name} is no duration"),
        }
    }

    /// The value of a count or a size that the program added; panics as [`duration`](Self::duration) does.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        match self.value(name) {
            Value::Count(value) | Value::Bytes(value) => *value,
            _ => panic!("the setting {name} is no count"),
        }
    }

    /// Whether a switch that the program added is on; panics as [`duration`](Self::duration) does.
    #[must_use]
    pub fn switch(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Switch(value) => *value,
            _ => panic!("the setting {name} is no switch"),
        }
    }

    /// The value of a text or a choice that the program added; panics as [`duration`](Self::duration) does.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Value::Text(value) => value,
            _ => panic!("the setting {name} is no text"),
        }
    }

    /// The items of a list that the program added; panics as [`duration`](Self::duration) does.
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        match self.value(name) {
            Value::List(value) => value,
            _ => panic!("the setting {name} is no list"),
        }
    }

    fn value(&self, name: &str) -> &Value {
        let entry = self.entries.iter().find(|entry| entry.setting.name == name);
        &entry.unwrap_or_else(|| panic!("the program has no setting {name}")).value
    }
}

/// The variables of ours. Others may hold anything, so they are not even looked at.
fn variables<K: Into<OsString>, V: Into<OsString>>(
    table: &[&Setting],
    environment: impl IntoIterator<Item = (K, V)>,
) -> HashMap<String, OsString> {
    let ours = |(name, value): (K, V)| {
        let (name, value) = (name.into().into_string().ok()?, value.into());
        let is_ours =
            name.starts_with("NARROWS_") || table.iter().any(|setting| setting.bare == Some(name.as_str()));
        (is_ours && !value.is_empty()).then_some((name, value))
    };
    environment.into_iter().filter_map(ours).collect()
}

/// Warns of variables that are a slip away from a setting. No error: the prefix is not reserved for settings.
fn strangers(table: &[&Setting], environment: &HashMap<String, OsString>) -> Vec<String> {
    let mut warnings = Vec::new();
    for name in environment.keys().filter(|name| name.starts_with("NARROWS_")) {
        let known = name == "NARROWS_CONFIG" || table.iter().any(|setting| setting.own_variable() == *name);
        let bare = name.trim_start_matches("NARROWS_");
        if let Some(near) = nearest(bare, table.iter().map(|setting| setting.name)).filter(|_| !known) {
            let near = near.to_ascii_uppercase();
            warnings
                .push(format!("the environment variable {name} is no setting; did you mean NARROWS_{near}?"));
        }
    }
    warnings.sort();
    warnings
}

/// Lays the sources over one another, the defaults lowest.
fn merge(
    program: &Program,
    table: &[&Setting],
    flags: Flags,
    environment: &HashMap<String, OsString>,
) -> Result<Vec<Entry>, SettingsError> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|&setting| Entry {
            setting: setting.clone(),
            value: setting.default.clone(),
            source: Source::Default,
        })
        .collect();
    let config = match (flags.config, environment.get("NARROWS_CONFIG")) {
        (Some(path), _) => Some((PathBuf::from(path), Source::Flag("--config".to_owned()))),
        (None, Some(path)) => Some((PathBuf::from(path), Source::Environment("NARROWS_CONFIG".to_owned()))),
        // Where it cannot be said whether it is there, the attempt to read it says why.
        (None, None) => {
            let file = program.file.clone().filter(|path| path.try_exists().unwrap_or(true));
            file.map(|path| (path, Source::Default))
        }
    };
    if let Some((path, named_by)) = config {
        for (place, value, source) in file::read(&path, &named_by, table)? {
            entries[place].value = value;
            entries[place].source = source;
        }
    }
    for entry in &mut entries {
        let set = entry.setting.variables().find_map(|name| Some((environment.get(&name)?, name)));
        if let Some((value, name)) = set {
            let source = Source::Environment(name);
            let text = flags::text(value.clone(), &source.to_string())?;
            entry.set(&text, source)?;
        }
    }
    for (place, text) in flags.values {
        let entry = &mut entries[place];
        let source = Source::Flag(entry.setting.flag());
        entry.set(&text, source)?;
    }
    Ok(entries)
}

impl Entry {
    /// Takes a written value over; a list's flag that comes again adds to what the flag gave before.
    fn set(&mut self, text: &str, source: Source) -> Result<(), SettingsError> {
        let value = self.setting.kind.parse(text).map_err(|problem| SettingsError::Value {
            name: self.setting.name.to_owned(),
            value: if self.setting.secret { "its value".to_owned() } else { format!("{text:?}") },
            origin: source.clone(),
            problem,
        })?;
        match (&mut self.value, value) {
            (Value::List(items), Value::List(more)) if self.source == source => items.extend(more),
            (old, value) => *old = value,
        }
        self.source = source;
        Ok(())
    }
}

/// Fills the typed fields and settles what depends on more than one setting.
fn fill(rows: &[Row], entries: &mut [Entry]) -> Result<Settings, SettingsError> {
    check::settle(entries);
    let mut settings = Settings::default();
    for (row, entry) in rows.iter().zip(entries.iter()) {
        row.fill(&mut settings, &entry.value);
    }
    check::check(&settings, entries)?;
    Ok(settings)
}
