//! Steps in words.

use crate::migration::Operation;

/// The first line of a migration's file.
pub(crate) fn summary(operations: &[Operation], app: &str) -> String {
    let mut all: Vec<String> = operations.iter().map(|operation| step(operation, app)).collect();
    // A verb counts for those of the same kind after it.
    let made = |operation: &Operation| matches!(operation, Operation::CreateTable { .. });
    for at in 1..all.len() {
        if made(&operations[at - 1]) && made(&operations[at]) {
            all[at] = all[at].replacen("makes ", "", 1);
        }
    }
    let text = match &all[..] {
        [] => return "Does nothing yet.".to_owned(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third] => format!("{first}, {second} and {third}"),
        [first, second, rest @ ..] => format!("{first}, {second}, and {} more steps", rest.len()),
    };
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// A step, without the app's name before that of the table.
pub(crate) fn step(operation: &Operation, app: &str) -> String {
    let short = |table: &str| short(table, app).to_owned();
    match operation {
        Operation::CreateTable { name, .. } => format!("makes `{}`", short(name)),
        Operation::DropTable { name } => format!("drops `{}`", short(name)),
        Operation::RenameTable { from, to } => format!("renames `{}` to `{}`", short(from), short(to)),
        Operation::AddColumn { table, column, .. } => format!("adds `{}` to `{}`", column.name, short(table)),
        Operation::DropColumn { table, name, .. } => format!("drops `{name}` of `{}`", short(table)),
        Operation::RenameColumn { table, from, to } => {
            format!("renames `{from}` of `{}` to `{to}`", short(table))
        }
        Operation::AlterColumn { table, column, .. } => {
            format!("changes `{}` of `{}`", column.name, short(table))
        }
        Operation::AddIndex { table, index } => {
            let kind = if index.unique { "makes unique" } else { "adds an index over" };
            format!("{kind} `{}` of `{}`", index.columns.join("`, `"), short(table))
        }
        Operation::DropIndex { table, name } => format!("drops the index `{name}` of `{}`", short(table)),
        Operation::AddForeignKey { table, key } => {
            format!(
                "points `{}` of `{}` at `{}`",
                key.columns.join("`, `"),
                short(table),
                short(&key.to_table)
            )
        }
        Operation::DropForeignKey { table, name } => {
            format!("drops the foreign key `{name}` of `{}`", short(table))
        }
        Operation::Sql(_) => "runs SQL".to_owned(),
        Operation::Run(_) => "runs code".to_owned(),
    }
}

/// `person` of `chat_person`, in the app `chat`.
pub(crate) fn short<'a>(table: &'a str, app: &str) -> &'a str {
    let rest = table.strip_prefix(app).and_then(|rest| rest.strip_prefix('_'));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(table)
}
