//! What only people know – whether a column was renamed, what rows get – asked at the terminal or said by flags.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};

use crate::literal;
use crate::schema::{Column, Literal, Table};

/// Who answers a question.
pub trait Prompt {
    /// Asks, and gives the line of the answer; `None` where nobody answers any more.
    ///
    /// # Errors
    /// When the terminal fails.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;
}

/// The terminal: questions on stderr, answers from stdin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Terminal {
    /// The terminal, if somebody sits at it.
    pub fn found() -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(Self)
    }
}

impl Prompt for Terminal {
    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question}")?;
        stderr.flush()?;
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// A question that nobody answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// A table may have been renamed.
    #[error(
        "was the table `{from}` renamed to `{to}`? say `--rename-table {from}={to}`, or `--no-rename` to drop \
             the one, with its rows, and make the other"
    )]
    RenameTable {
        /// The name before.
        from: String,
        /// The name now.
        to: String,
    },
    /// A column may have been renamed.
    #[error(
        "was `{from}` of `{table}` renamed to `{to}`? say `--rename {table}.{from}={to}`, or `--no-rename` to \
             drop the one, with its values, and add the other"
    )]
    RenameColumn {
        /// The table.
        table: String,
        /// The name before.
        from: String,
        /// The name now.
        to: String,
    },
    /// Rows need a value.
    #[error(
        "`{column}` of `{table}` {why}: say what they get by `--fill {table}.{column}=VALUE` ({form}), or give \
             the column a default, or let it be NULL"
    )]
    Fill {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why.
        why: Missing,
        /// How a value looks.
        form: &'static str,
    },
    /// A flag gives a value that the column cannot hold.
    #[error("`--fill {table}.{column}={value}`: `{column}` holds {wanted}, which is given as {form}")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What was given.
        value: String,
        /// What the column holds.
        wanted: String,
        /// How a value looks.
        form: &'static str,
    },
    /// A flag that answers nothing.
    #[error("`{flag}` names nothing that changes: {found}")]
    Unused {
        /// The flag.
        flag: String,
        /// What there is instead.
        found: String,
    },
    /// The terminal failed.
    #[error("the terminal cannot be read")]
    Terminal(#[from] io::Error),
}

/// Why rows need a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The column is new.
    Added,
    /// The column may hold no NULL any more.
    NotNull,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "is new, holds no NULL and has no default, so rows that are there need a value",
            Self::NotNull => "may hold no NULL any more, so rows with NULL need a value",
        })
    }
}

/// The answers that flags give, and whom to ask for the others.
#[derive(Default)]
pub struct Questions<'a> {
    prompt: Option<&'a mut dyn Prompt>,
    no_rename: bool,
    assumes: bool,
    tables: Vec<(String, String)>,
    columns: Vec<(String, String, String)>,
    fills: Vec<(String, String, String)>,
    used: BTreeSet<String>,
}

impl fmt::Debug for Questions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions").field("asks", &self.prompt.is_some()).finish_non_exhaustive()
    }
}

impl<'a> Questions<'a> {
    /// Nobody is asked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this one.
    #[must_use]
    pub fn prompt(mut self, prompt: &'a mut dyn Prompt) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// Nothing is renamed but what is said here: `--no-rename`.
    #[must_use]
    pub fn no_rename(mut self) -> Self {
        self.no_rename = true;
        self
    }

    /// Asks nothing, and needs no answer: nothing was renamed, and rows get what says least. For `--check`, which wants to
    /// know only whether anything differs.
    #[must_use]
    pub fn assume(mut self) -> Self {
        self.no_rename = true;
        self.assumes = true;
        self
    }

    /// A table was renamed: `--rename-table OLD=NEW`.
    #[must_use]
    pub fn rename_table(mut self, from: &str, to: &str) -> Self {
        self.tables.push((from.to_owned(), to.to_owned()));
        self
    }

    /// A column was renamed: `--rename TABLE.OLD=NEW`.
    #[must_use]
    pub fn rename(mut self, table: &str, from: &str, to: &str) -> Self {
        self.columns.push((table.to_owned(), from.to_owned(), to.to_owned()));
        self
    }

    /// What rows get: `--fill TABLE.COLUMN=VALUE`.
    #[must_use]
    pub fn fill(mut self, table: &str, column: &str, value: &str) -> Self {
        self.fills.push((table.to_owned(), column.to_owned(), value.to_owned()));
        self
    }

    /// Says whether every flag was of use.
    ///
    /// # Errors
    /// For the first that named nothing that changes, most likely by a wrong name.
    pub fn all_used(&self) -> Result<(), Unanswered> {
        let tables = self.tables.iter().map(|(from, to)| {
            let found = format!("no table `{from}` went away while `{to}` came");
            (table_flag(from, to), found)
        });
        let columns = self.columns.iter().map(|(table, from, to)| {
            let found = format!("no column `{from}` of `{table}` went away while `{to}` came");
            (column_flag(table, from, to), found)
        });
        let fills = self.fills.iter().map(|(table, column, value)| {
            let found = format!("no rows of `{table}` need a value in `{column}`");
            (fill_flag(table, column, value), found)
        });
        match tables.chain(columns).chain(fills).find(|(flag, _)| !self.used.contains(flag)) {
            Some((flag, found)) => Err(Unanswered::Unused { flag, found }),
            None => Ok(()),
        }
    }

    /// The table that a flag says became this one.
    pub(crate) fn said_table(&mut self, from: &str, to: &str) -> bool {
        let said = self.tables.iter().any(|(old, new)| old == from && new == to);
        if said {
            self.used.insert(table_flag(from, to));
        }
        said
    }

    /// Whether a flag says that the one column became the other.
    pub(crate) fn said_column(&mut self, table: &str, from: &str, to: &str) -> bool {
        let said = self.columns.iter().any(|(of, old, new)| of == table && old == from && new == to);
        if said {
            self.used.insert(column_flag(table, from, to));
        }
        said
    }

    pub(crate) fn renamed_table(&mut self, from: &str, to: &str) -> Result<bool, Unanswered> {
        if self.no_rename {
            return Ok(false);
        }
        let question = format!("Was the table `{from}` renamed to `{to}`? [y/n] ");
        let unanswered = || Unanswered::RenameTable { from: from.to_owned(), to: to.to_owned() };
        self.yes(&question)?.ok_or_else(unanswered)
    }

    pub(crate) fn renamed_column(&mut self, table: &str, from: &str, to: &str) -> Result<bool, Unanswered> {
        if self.no_rename {
            return Ok(false);
        }
        let question = format!("Was `{from}` of `{table}` renamed to `{to}`? [y/n] ");
        let unanswered =
            || Unanswered::RenameColumn { table: table.to_owned(), from: from.to_owned(), to: to.to_owned() };
        self.yes(&question)?.ok_or_else(unanswered)
    }

    /// What rows get in this column of the table.
    pub(crate) fn value(
        &mut self,
        name: &str,
        table: &Table,
        column: &Column,
        why: Missing,
    ) -> Result<Literal, Unanswered> {
        let form = literal::form(&column.kind);
        let said = self.fills.iter().find(|(of, found, _)| of == name && *found == column.name);
        if let Some((table, column_name, value)) = said.cloned() {
            self.used.insert(fill_flag(&table, &column_name, &value));
            return literal::typed(&value, &column.kind).ok_or_else(|| Unanswered::Value {
                table,
                column: column_name,
                value,
                wanted: column.kind.to_string(),
                form,
            });
        }
        if self.assumes {
            return Ok(literal::neutral(&column.kind));
        }
        let unanswered =
            || Unanswered::Fill { table: name.to_owned(), column: column.name.clone(), why, form };
        let Some(prompt) = &mut self.prompt else { return Err(unanswered()) };
        let unique = table.indexes.iter().any(|index| index.unique && index.columns == [column.name.clone()]);
        let warning =
            if unique { "\nIt is unique: with more than one such row, let it be NULL first." } else { "" };
        let mut question = format!(
            "`{}` of `{name}` {why}.{warning}\nThe value ({form}; \"\" is the empty text; nothing stops this): ",
            column.name
        );
        while let Some(answer) = prompt.ask(&question)? {
            let typed = match answer.trim() {
                "" => return Err(unanswered()),
                "\"\"" | "''" => literal::typed("", &column.kind),
                _ => literal::typed(&answer, &column.kind),
            };
            match typed {
                Some(literal) => return Ok(literal),
                None => question = format!("That is not {form}: "),
            }
        }
        Err(unanswered())
    }

    /// `None` where nobody answers.
    fn yes(&mut self, question: &str) -> io::Result<Option<bool>> {
        let Some(prompt) = &mut self.prompt else { return Ok(None) };
        while let Some(answer) = prompt.ask(question)? {
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(Some(true)),
                "n" | "no" => return Ok(Some(false)),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn table_flag(from: &str, to: &str) -> String {
    format!("--rename-table {from}={to}")
}

fn column_flag(table: &str, from: &str, to: &str) -> String {
    format!("--rename {table}.{from}={to}")
}

fn fill_flag(table: &str, column: &str, value: &str) -> String {
    format!("--fill {table}.{column}={value}")
}
