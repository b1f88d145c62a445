use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use narrows::serve::settings::{Command as Asked, Loaded, Program, Setting, Settings};
use narrows_django::AccountSettings;

use super::{Project, ProjectError};
use crate::commands::Command;

/// The file that settings are read from, where no other is named.
const FILE: &str = "narrows.toml";

/// What a command line says.
pub(crate) enum Said {
    /// To do this, with what is no setting, and these settings.
    Run { command: Command, rest: Vec<String>, loaded: Box<Loaded> },
    /// To print this text.
    Print(String),
}

impl Project {
    /// The program's settings: those of every server, of the accounts, of the channel layer, of the apps and of the project.
    ///
    /// # Panics
    /// When two of them have the same name.
    pub fn program(&self) -> Program {
        self.program_without_file().file(beside_manifest().join(FILE))
    }

    pub(crate) fn program_without_file(&self) -> Program {
        let program = Program::new(self.name, self.version).about(self.about);
        let program = AccountSettings::add_to(program.layer_settings())
            .setting(Setting::text(
                "data_dir",
                "data",
                "The folder of the database, where none is named, and of the secret key of a site in development",
            ))
            .setting(Setting::switch("migrate_at_start", "Apply missing migrations before serving").on())
            .setting(Setting::choice(
                "development",
                &["auto", "on", "off"],
                "auto",
                "Templates from the disk, errors with details; auto is on in debug builds and with NARROWS_DEV=1",
            ));
        let program = Command::ALL.into_iter().fold(program, |program, command| {
            let (usage, about) = command.usage();
            program.command(usage, about)
        });
        let apps = self.apps.iter().flat_map(|app| &app.settings);
        apps.chain(&self.settings).cloned().fold(program, Program::setting)
    }

    /// Reads a command line, without the program's name.
    pub(crate) fn read<K: Into<OsString>, V: Into<OsString>>(
        program: &Program,
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Said, ProjectError> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        let named = args.first().filter(|first| !first.to_string_lossy().starts_with('-')).cloned();
        let command = match &named {
            Some(name) => Command::named(&name.to_string_lossy())?,
            None => Some(Command::Serve),
        };
        if named.is_some() {
            args.remove(0);
        }
        let Some(command) = command else {
            // `help`
            return asked(program, vec!["--help".into()], environment, Command::Serve, Vec::new());
        };
        let (mut settings, rest) = program.split(args);
        let mut rest: Vec<String> = rest.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        if settings.iter().any(|arg| arg == "--help" || arg == "-h") {
            if let Some(help) = command.help() {
                return Ok(Said::Print(format!("{help}\nThe settings are listed by `help`.\n")));
            }
            if command.takes_arguments() {
                settings.retain(|arg| arg != "--help" && arg != "-h");
                rest.push("--help".to_owned());
            }
        }
        if !command.takes_arguments()
            && let Some(given) = rest.first()
        {
            if given.starts_with('-') {
                // The settings' own error has the nearest name in it.
                asked(program, vec![given.into()], [("", ""); 0], command, Vec::new())?;
            }
            return Err(ProjectError::NoArgument { command: command.name(), given: given.clone() });
        }
        asked(program, settings, environment, command, rest)
    }
}

fn asked<K: Into<OsString>, V: Into<OsString>>(
    program: &Program,
    settings: Vec<OsString>,
    environment: impl IntoIterator<Item = (K, V)>,
    command: Command,
    rest: Vec<String>,
) -> Result<Said, ProjectError> {
    Ok(match Settings::load(program, settings, environment)? {
        Asked::Run(loaded) => Said::Run { command, rest, loaded },
        Asked::Print(text) => Said::Print(text),
    })
}

/// Whether the site is being developed.
pub(super) fn is_development(loaded: &Loaded) -> bool {
    match loaded.text("development") {
        "on" => true,
        "off" => false,
        _ => cfg!(debug_assertions) || env::var_os("NARROWS_DEV").is_some_and(|dev| dev == "1"),
    }
}

/// The project's folder under `cargo run`, which may be called from anywhere in it; otherwise the current folder.
pub(super) fn beside_manifest() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}
