//! The command line of `makemigrations`.

use crate::question::Questions;
use crate::render::names;

/// What `--help` says.
pub(super) const HELP: &str = "\
Compares the models with the migrations, and writes a migration of what differs. No database is needed.

Usage: makemigrations [APP…] [OPTIONS]

  APP                        these apps alone
  --name NAME                what the migration is called, without its number
  --check                    writes nothing; exits with 1 if something would be written
  --dry-run                  writes nothing; shows the files
  --empty                    writes a migration without a step, for SQL or code of your own
  --snapshot                 writes snapshot.json anew, from the migrations
  --rename TABLE.OLD=NEW     the column OLD is now called NEW
  --rename-table OLD=NEW     the table OLD is now called NEW
  --no-rename                nothing else was renamed
  --fill TABLE.COLUMN=VALUE  what rows that are there get in a column that holds no NULL
  --no-input                 asks nothing; what is not said by an option is an error
  --help                     shows this
";

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// An option that there is not.
    #[error("makemigrations has no option `{0}`; `--help` shows those it has")]
    Unknown(String),
    /// An option without its value.
    #[error("`{0}` needs a value: {1}")]
    NoValue(String, &'static str),
    /// An option with a value of another form.
    #[error("`{0} {1}` is not of the form {2}")]
    Form(&'static str, String, &'static str),
    /// A name that no module can have.
    #[error("`--name {0}`: a name has small letters, digits and `_`, at most 55")]
    Name(String),
    /// Options that exclude each other.
    #[error("`{0}` and `{1}` do not go together")]
    Together(&'static str, &'static str),
    /// `--empty` for no app.
    #[error("`--empty` needs the name of an app")]
    EmptyOf,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Args {
    pub(super) apps: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) check: bool,
    pub(super) dry_run: bool,
    pub(super) empty: bool,
    pub(super) snapshot: bool,
    pub(super) no_input: bool,
    pub(super) help: bool,
    no_rename: bool,
    renames: Vec<(String, String, String)>,
    table_renames: Vec<(String, String)>,
    fills: Vec<(String, String, String)>,
}

impl Args {
    pub(super) fn parse(args: &[String]) -> Result<Self, ArgsError> {
        let mut all = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (flag, given) = match arg.split_once('=') {
                Some((flag, value)) if arg.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let takes_none = given.is_none();
            let mut value = |form| {
                let value = given.clone().or_else(|| args.next().cloned());
                value.ok_or_else(|| ArgsError::NoValue(flag.to_owned(), form))
            };
            match flag {
                "--check" if takes_none => all.check = true,
                "--dry-run" if takes_none => all.dry_run = true,
                "--empty" if takes_none => all.empty = true,
                "--snapshot" if takes_none => all.snapshot = true,
                "--no-rename" if takes_none => all.no_rename = true,
                "--no-input" | "--noinput" if takes_none => all.no_input = true,
                "--help" | "-h" if takes_none => all.help = true,
                "--name" | "-n" => {
                    let name = value("NAME")?;
                    if !names::is_good(&name) {
                        return Err(ArgsError::Name(name));
                    }
                    all.name = Some(name);
                }
                "--rename" => {
                    const FORM: &str = "TABLE.OLD=NEW";
                    let value = value(FORM)?;
                    let parts = dotted(&value).filter(|(_, _, to)| !to.is_empty());
                    all.renames.push(parts.ok_or(ArgsError::Form("--rename", value, FORM))?);
                }
                "--rename-table" => {
                    const FORM: &str = "OLD=NEW";
                    let value = value(FORM)?;
                    let parts = value.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
                    let parts = parts.filter(|(from, to)| !from.is_empty() && !to.is_empty());
                    all.table_renames.push(parts.ok_or(ArgsError::Form("--rename-table", value, FORM))?);
                }
                "--fill" => {
                    const FORM: &str = "TABLE.COLUMN=VALUE";
                    let value = value(FORM)?;
                    all.fills.push(dotted(&value).ok_or(ArgsError::Form("--fill", value, FORM))?);
                }
                flag if flag.starts_with('-') => return Err(ArgsError::Unknown(arg.clone())),
                app => all.apps.push(app.to_owned()),
            }
        }
        all.checked()
    }

    fn checked(self) -> Result<Self, ArgsError> {
        let ways = [(self.check, "--check"), (self.empty, "--empty"), (self.snapshot, "--snapshot")];
        let said: Vec<&'static str> = ways.iter().filter(|(said, _)| *said).map(|(_, flag)| *flag).collect();
        if let [one, other, ..] = said[..] {
            return Err(ArgsError::Together(one, other));
        }
        if self.empty && self.apps.is_empty() {
            return Err(ArgsError::EmptyOf);
        }
        Ok(self)
    }

    /// The answers that were given.
    pub(super) fn questions<'a>(&self) -> Questions<'a> {
        let mut questions = Questions::new();
        if self.no_rename {
            questions = questions.no_rename();
        }
        for (from, to) in &self.table_renames {
            questions = questions.rename_table(from, to);
        }
        for (table, from, to) in &self.renames {
            questions = questions.rename(table, from, to);
        }
        for (table, column, value) in &self.fills {
            questions = questions.fill(table, column, value);
        }
        questions
    }
}

/// `TABLE.COLUMN=VALUE`.
fn dotted(text: &str) -> Option<(String, String, String)> {
    let (place, value) = text.split_once('=')?;
    let (table, column) = place.split_once('.')?;
    let good = !table.is_empty() && !column.is_empty();
    good.then(|| (table.to_owned(), column.to_owned(), value.to_owned()))
}
