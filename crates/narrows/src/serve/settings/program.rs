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
}

impl Program {
    /// A program that has the settings of every server.
    #[must_use]
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, about: "", own: Vec::new() }
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
}
