//! Migrations as Rust files, the list of them, and where they stand.

pub(crate) mod code;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod list;
pub(crate) mod losses;
pub(crate) mod names;
pub(crate) mod scan;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use code::{Call, Code};

use crate::migration::Operation;
use crate::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Schema, Table};
use crate::state;

/// A migration to be written.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
    /// Migrations of other apps that come before it.
    pub(crate) after: BTreeSet<(String, String)>,
    /// The schema that it meets.
    pub(crate) before: Schema,
}

/// The text of its file; `path` is what the app calls this crate, such as `narrows_web::models`.
pub(crate) fn file(planned: &Planned, app: &str, path: &str) -> String {
    let mut writer = Writer { used: BTreeSet::from(["Migration"]) };
    let mut chain = Call::new("Migration::new", vec![Code::text(&planned.name)]).chain();
    for (app, name) in &planned.after {
        chain.calls.push((Vec::new(), Call::new("after", vec![Code::text(app), Code::text(name)])));
    }
    let mut state = planned.before.clone();
    for operation in &planned.operations {
        let comments = losses::comments(&state, operation);
        chain.calls.extend(writer.operation(operation).map(|call| (comments, call)));
        // The steps were made by way of this very state.
        state::apply(&mut state, operation).expect("a planned step fits those before it");
    }
    let body = Code::Chain(chain).print(4);
    let uses = code::uses(path, &writer.used);
    let what = words::summary(&planned.operations, app);
    let hint = match planned.operations.is_empty() {
        true => "    // Steps go here, such as `.sql(\"…\")` or `.run(…)`.\n",
        false => "",
    };
    format!("//! {what}\n\n{uses}\n\npub(super) fn migration() -> Migration {{\n{hint}    {body}\n}}\n")
}

/// The text as rustfmt has it, by the settings of the folder; as it is where there is no rustfmt.
pub(crate) fn formatted(text: String, folder: &Path) -> String {
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    run_rustfmt(&text, existing).unwrap_or(text)
}

/// A changed text of a file: as rustfmt has it, where what was there was so.
pub(crate) fn formatted_again(before: &str, now: String, folder: &Path) -> String {
    let tidy = formatted(now.clone(), folder);
    let was_tidy = tidy == now || formatted(before.to_owned(), folder) == before;
    if was_tidy { tidy } else { now }
}

fn run_rustfmt(text: &str, folder: &Path) -> Option<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // A migration is smaller than a pipe holds only sometimes, but rustfmt reads all before it writes.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (written?.is_ok() && output.status.success() && !text.is_empty()).then_some(text)
}

/// Writes steps, and knows what they use.
struct Writer {
    used: BTreeSet<&'static str>,
}

impl Writer {
    /// `None` for code and SQL, which nobody plans.
    fn operation(&mut self, operation: &Operation) -> Option<Call> {
        let text = |text: &str| Code::text(text);
        Some(match operation {
            Operation::CreateTable { name, table } => {
                Call::new("create_table", vec![text(name), self.table(table)])
            }
            Operation::DropTable { name } => Call::new("drop_table", vec![text(name)]),
            Operation::RenameTable { from, to } => Call::new("rename_table", vec![text(from), text(to)]),
            Operation::AddColumn { table, column, fill } => {
                Call::new("add_column", vec![text(table), self.change(column, fill.as_ref(), None)])
            }
            Operation::DropColumn { table, name, fill: None } => {
                Call::new("drop_column", vec![text(table), text(name)])
            }
            Operation::DropColumn { table, name, fill: Some(fill) } => {
                self.used.insert("DropColumn");
                let fill = self.literal(fill);
                let column = Call::new("DropColumn::new", vec![text(name)]).chain().then("fill", vec![fill]);
                Call::new("drop_column", vec![text(table), Code::Chain(column)])
            }
            Operation::RenameColumn { table, from, to } => {
                Call::new("rename_column", vec![text(table), text(from), text(to)])
            }
            Operation::AlterColumn { table, column, fill, undo_fill } => {
                let change = self.change(column, fill.as_ref(), undo_fill.as_ref());
                Call::new("alter_column", vec![text(table), change])
            }
            Operation::AddIndex { table, index } => {
                Call::new("add_index", vec![text(table), self.index(index)])
            }
            Operation::DropIndex { table, name } => Call::new("drop_index", vec![text(table), text(name)]),
            Operation::AddForeignKey { table, key } => {
                Call::new("add_foreign_key", vec![text(table), self.foreign_key(key)])
            }
            Operation::DropForeignKey { table, name } => {
                Call::new("drop_foreign_key", vec![text(table), text(name)])
            }
            Operation::Sql(_) | Operation::Run(_) => return None,
        })
    }

    fn table(&mut self, table: &Table) -> Code {
        self.used.insert("Table");
        let mut chain = Call::new("Table::new", Vec::new()).chain();
        for column in &table.columns {
            chain = chain.then("column", vec![self.change(column, None, None)]);
        }
        if !table.primary_key.is_empty() {
            chain = chain.then("primary_key", vec![texts(&table.primary_key)]);
        }
        for index in &table.indexes {
            chain = chain.then("index", vec![self.index(index)]);
        }
        for key in &table.foreign_keys {
            chain = chain.then("foreign_key", vec![self.foreign_key(key)]);
        }
        Code::Chain(chain)
    }

    fn change(&mut self, column: &Column, fill: Option<&Literal>, undo_fill: Option<&Literal>) -> Code {
        self.used.insert("Column");
        let mut args = vec![Code::text(&column.name)];
        let name = match &column.kind {
            Kind::Boolean => "boolean",
            Kind::SmallInteger => "small_integer",
            Kind::Integer => "integer",
            Kind::BigInteger => "big_integer",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Decimal(digits, after) => {
                args.extend([Code::Plain(digits.to_string()), Code::Plain(after.to_string())]);
                "decimal"
            }
            Kind::Varchar(length) => {
                args.push(Code::Plain(length.to_string()));
                "varchar"
            }
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::DateTime => "date_time",
            Kind::LocalDateTime => "local_date_time",
            Kind::Uuid => "uuid",
            Kind::Json => "json",
        };
        let mut chain = Call::new(&format!("Column::{name}"), args).chain();
        if column.null {
            chain = chain.then("null", Vec::new());
        }
        chain = match &column.default {
            Some(Literal::Now) => chain.then("default_now", Vec::new()),
            Some(default) => chain.then("default", vec![self.literal(default)]),
            None => chain,
        };
        if column.auto {
            chain = chain.then("auto", Vec::new());
        }
        if let Some(fill) = fill {
            chain = chain.then("fill", vec![self.literal(fill)]);
        }
        if let Some(fill) = undo_fill {
            chain = chain.then("undo_fill", vec![self.literal(fill)]);
        }
        Code::Chain(chain)
    }

    fn index(&mut self, index: &Index) -> Code {
        self.used.insert("Index");
        let name = if index.unique { "Index::unique" } else { "Index::new" };
        Code::Chain(Call::new(name, vec![Code::text(&index.name), texts(&index.columns)]).chain())
    }

    fn foreign_key(&mut self, key: &ForeignKey) -> Code {
        self.used.insert("ForeignKey");
        let args = vec![
            Code::text(&key.name),
            texts(&key.columns),
            Code::text(&key.to_table),
            texts(&key.to_columns),
        ];
        let mut chain = Call::new("ForeignKey::new", args).chain();
        for (name, action) in [("on_delete", key.on_delete), ("on_update", key.on_update)] {
            if action != Action::default() {
                self.used.insert("Action");
                chain = chain.then(name, vec![Code::Plain(format!("Action::{action:?}"))]);
            }
        }
        Code::Chain(chain)
    }

    fn literal(&mut self, literal: &Literal) -> Code {
        Code::Plain(match literal {
            Literal::Boolean(value) => value.to_string(),
            Literal::Integer(number) if i32::try_from(*number).is_ok() => number.to_string(),
            Literal::Integer(number) => format!("{number}_i64"),
            Literal::Text(text) => return Code::text(text),
            Literal::Number(text) => {
                self.used.insert("Literal");
                format!("Literal::number({text:?})")
            }
            Literal::Now => {
                self.used.insert("Literal");
                "Literal::Now".to_owned()
            }
        })
    }
}

fn texts(all: &[String]) -> Code {
    Code::Array(all.iter().map(|text| Code::text(text)).collect())
}
