use std::time::Duration;

use super::value::{Kind, Value, Zero};

/// One row of the table: a setting's name, what it accepts, its default and what it is for.
///
/// ```
/// use narrows::serve::settings::{Command, Program, Setting, Settings};
///
/// let program = Program::new("chat", "1.0.0").setting(Setting::count("history", 50, "Messages kept a room."));
/// let Command::Run(loaded) = Settings::load(&program, ["--history=10"], [("", ""); 0])? else { return Ok(()) };
/// assert_eq!(loaded.count("history"), 10);
/// # Ok::<(), narrows::serve::settings::SettingsError>(())
/// ```
///
/// A name is written in `snake_case`; its flag is `--kebab-case` and its variable `NARROWS_UPPER_CASE`.
#[derive(Debug, Clone)]
pub struct Setting {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Value,
    pub(super) help: &'static str,
    pub(super) section: &'static str,
    pub(super) secret: bool,
    pub(super) bare: Option<&'static str>,
}

impl Setting {
    pub(super) fn new(name: &'static str, kind: Kind, default: Value, help: &'static str) -> Self {
        Self { name, kind, default, help, section: "This program", secret: false, bare: None }
    }

    /// A setting that is a time, such as `500ms`, `20s`, `2m` or `1h`; `off` is zero.
    #[must_use]
    pub fn duration(name: &'static str, default: Duration, help: &'static str) -> Self {
        Self::new(name, Kind::Duration(Zero::Off), Value::Duration(default), help)
    }

    /// A setting that is a size, such as `65536`, `64KiB` or `1MB`.
    #[must_use]
    pub fn bytes(name: &'static str, default: usize, help: &'static str) -> Self {
        Self::new(name, Kind::Bytes { least: 0 }, Value::Bytes(default), help)
    }

    /// A setting that is a whole number.
    #[must_use]
    pub fn count(name: &'static str, default: usize, help: &'static str) -> Self {
        Self::new(name, Kind::Count { least: 0 }, Value::Count(default), help)
    }

    /// A setting that is on or off, off by default; its flag needs no value.
    #[must_use]
    pub fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Switch, Value::Switch(false), help)
    }

    /// Makes a switch one that is on by default: `--name=false` switches it off.
    ///
    /// # Panics
    /// When it is no switch.
    #[must_use]
    pub fn on(mut self) -> Self {
        assert!(matches!(self.kind, Kind::Switch), "the setting {} is no switch", self.name);
        self.default = Value::Switch(true);
        self
    }

    /// A setting that is any text, such as an address of a database.
    #[must_use]
    pub fn text(name: &'static str, default: &str, help: &'static str) -> Self {
        Self::new(name, Kind::Text("TEXT"), Value::Text(default.to_owned()), help)
    }

    /// A setting that is one of a few words; read it with [`Loaded::text`](super::Loaded::text).
    #[must_use]
    pub fn choice(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self::new(name, Kind::Choice(words), Value::Text(default.to_owned()), help)
    }

    /// A setting that is a list of texts: a flag that may be repeated, and commas between in one value.
    #[must_use]
    pub fn list(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::List("TEXT"), Value::List(Vec::new()), help)
    }

    /// Keeps the value out of errors and of the printed configuration, as for a password.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Takes the value from this variable too, as it is where platforms and other programs set it: `DATABASE_URL`. The
    /// variable of the setting's own name wins over it.
    ///
    /// ```
    /// use narrows::serve::settings::{Command, Program, Setting, Settings};
    ///
    /// let setting = Setting::text("database_url", "", "Where the database is.").variable("DATABASE_URL");
    /// let program = Program::new("chat", "1.0.0").setting(setting);
    /// let environment = [("DATABASE_URL", "postgres://db/chat")];
    /// let Command::Run(loaded) = Settings::load(&program, [""; 0], environment)? else { return Ok(()) };
    /// assert_eq!(loaded.text("database_url"), "postgres://db/chat");
    /// # Ok::<(), narrows::serve::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn variable(mut self, name: &'static str) -> Self {
        self.bare = Some(name);
        self
    }

    /// `--ping-interval` for `ping_interval`.
    pub(super) fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// `NARROWS_PING_INTERVAL` for `ping_interval`.
    pub(super) fn own_variable(&self) -> String {
        format!("NARROWS_{}", self.name.to_ascii_uppercase())
    }

    /// The variables that it is read from, the one that wins first.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.own_variable()).chain(self.bare.map(str::to_owned))
    }

    pub(super) fn show(&self, value: &Value) -> String {
        value.show(&self.kind)
    }
}
