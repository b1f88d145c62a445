use std::ffi::OsString;

use super::error::SettingsError;
use super::nearest::nearest;
use super::program::Program;
use super::setting::Setting;
use super::value::Kind;

/// The command line, split but with its values still as they were written.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) ask: Option<Ask>,
    pub(super) config: Option<String>,
    /// The setting's place in the table, and one written value; a list's flag may come more than once.
    pub(super) values: Vec<(usize, String)>,
}

/// A flag that asks for a text instead of a running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Help,
    Version,
    Config,
}

impl Flags {
    pub(super) fn read(
        program: &Program,
        table: &[&Setting],
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, SettingsError> {
        let mut flags = Self::default();
        let mut args = args.into_iter();
        while let Some(argument) = args.next() {
            let argument = text(argument, "an argument")?;
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut value = |accepts: String| match inline.clone() {
                Some(value) => Ok(value),
                None => match args.next() {
                    Some(value) => text(value, &format!("the value of {flag}")),
                    None => Err(SettingsError::MissingValue { flag: flag.to_owned(), accepts }),
                },
            };
            match flag {
                "--help" | "-h" => flags.ask = flags.ask.or(Some(Ask::Help)),
                "--version" | "-V" => flags.ask = flags.ask.or(Some(Ask::Version)),
                "--print-config" => flags.ask = flags.ask.or(Some(Ask::Config)),
                "--config" => flags.config = Some(value("use the path of a TOML file".to_owned())?),
                _ if !flag.starts_with("--") => {
                    return Err(SettingsError::UnexpectedArgument {
                        program: program.name.to_owned(),
                        argument,
                    });
                }
                _ => {
                    let place = find(program, table, flag)?;
                    let kind = &table[place].kind;
                    let value = match kind {
                        Kind::Switch => inline.unwrap_or_else(|| "true".to_owned()),
                        kind => value(kind.accepts())?,
                    };
                    flags.values.push((place, value));
                }
            }
        }
        Ok(flags)
    }
}

/// The arguments that are settings, and the others.
pub(super) fn split(
    table: &[&Setting],
    args: impl IntoIterator<Item = OsString>,
) -> (Vec<OsString>, Vec<OsString>) {
    let (mut settings, mut others) = (Vec::new(), Vec::new());
    let mut args = args.into_iter();
    while let Some(argument) = args.next() {
        let text = argument.to_string_lossy();
        let (flag, has_value) = text.split_once('=').map_or((&*text, false), |(flag, _)| (flag, true));
        let setting = table.iter().find(|setting| setting.flag() == flag);
        let is_ask = ["--help", "-h", "--version", "-V", "--print-config"].contains(&flag);
        let takes_value = match setting {
            Some(setting) => !matches!(setting.kind, Kind::Switch),
            None => flag == "--config",
        };
        if setting.is_none() && !is_ask && !takes_value {
            others.push(argument);
            continue;
        }
        let takes_next = takes_value && !has_value;
        settings.push(argument);
        settings.extend(takes_next.then(|| args.next()).flatten());
    }
    (settings, others)
}

fn find(program: &Program, table: &[&Setting], flag: &str) -> Result<usize, SettingsError> {
    if let Some(place) = table.iter().position(|setting| setting.flag() == flag) {
        return Ok(place);
    }
    let others = ["config", "help", "version", "print_config"];
    let names = table.iter().map(|setting| setting.name).chain(others);
    let hint =
        nearest(flag.trim_start_matches('-'), names).map(|name| format!("--{}", name.replace('_', "-")));
    Err(SettingsError::UnknownFlag { program: program.name.to_owned(), flag: flag.to_owned(), hint })
}

/// Text from outside that must be UTF-8.
pub(super) fn text(value: OsString, what: &str) -> Result<String, SettingsError> {
    value.into_string().map_err(|_| SettingsError::NotUnicode { origin: what.to_owned() })
}
