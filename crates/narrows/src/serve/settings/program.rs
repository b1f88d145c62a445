use std::ffi::OsString;
use std::path::PathBuf;

use super::flags;
use super::setting::Setting;
use super::table;

/// The program whose settings are loaded: its name, its version and what it adds to the table.
///
/// ```
/// use narrows::serve::settings::{Program, Setting};
///
/// let program = Program::new("chat", env!("CARGO_PKG_VERSION"))
///     .about("A chat site")
///     .setting(Setting::text("redis", "", "Address of a Redis server").secret());
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) about: &'static str,
    pub(super) own: Vec<Setting>,
    pub(super) file: Option<PathBuf>,
    pub(super) commands: Vec<(&'static str, &'static str)>,
}

impl Program {
    /// A program that has the settings of every server.
    #[must_use]
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, about: "", own: Vec::new(), file: None, commands: Vec::new() }
    }

    /// Says in a sentence what the program is, for its help.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Adds a setting of the program's own.
    ///
    /// # Panics
    ///
    /// When there is a setting of that name already.
    #[must_use]
    pub fn setting(mut self, setting: Setting) -> Self {
        let name = setting.name;
        let taken = ["config", "help", "version", "print_config"].contains(&name)
            || self.own.iter().chain(table::rows().iter().map(|row| &row.setting)).any(|s| s.name == name);
        assert!(!taken, "there is a setting {name} already");
        self.own.push(setting);
        self
    }

    /// Reads this file where no other is named, if it is there.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Says in the help that the program has this command. What a command is given besides settings,
    /// [`split`](Self::split) finds.
    #[must_use]
    pub fn command(mut self, usage: &'static str, about: &'static str) -> Self {
        self.commands.push((usage, about));
        self
    }

    /// Tells the flags of settings, with their values, from everything else in a command line: the settings' come first.
    ///
    /// ```
    /// use narrows::serve::settings::Program;
    ///
    /// let program = Program::new("site", "1.0.0");
    /// let (settings, others) = program.split(["chat", "--bind", "[::]:80", "--plan"].map(Into::into));
    /// assert_eq!(settings, ["--bind", "[::]:80"]);
    /// assert_eq!(others, ["chat", "--plan"]);
    /// ```
    #[must_use]
    pub fn split(&self, args: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, Vec<OsString>) {
        let rows = table::rows();
        let table: Vec<&Setting> = rows.iter().map(|row| &row.setting).chain(&self.own).collect();
        flags::split(&table, args)
    }
}
