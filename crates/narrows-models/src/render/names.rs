//! Names of migrations, found of what they do.

use crate::migration::Operation;
use crate::render::words::short;

/// The longest name.
pub(crate) const LONGEST: usize = 60;

/// The number at the start of a name.
pub(crate) fn number(name: &str) -> Option<u32> {
    let digits = name.split('_').next()?;
    digits.parse().ok().filter(|_| digits.len() >= 4 || digits == name)
}

/// A name of this number: as it was asked for, or found.
pub(crate) fn name(number: u32, asked: Option<&str>, operations: &[Operation], app: &str) -> String {
    let numbered = format!("{number:04}_");
    let first = number == 1;
    let found = match asked {
        Some(asked) => asked.to_owned(),
        None if first => "initial".to_owned(),
        None => found(operations, app, LONGEST - numbered.len()),
    };
    numbered + &found
}

/// Whether a name can be asked for.
pub(crate) fn is_good(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.len() + "0000_".len() <= LONGEST && name.bytes().all(letters)
}

/// The parts that fit, and `and_more` for the others.
fn found(operations: &[Operation], app: &str, longest: usize) -> String {
    const MORE: &str = "_and_more";
    let mut parts: Vec<String> = Vec::new();
    for operation in operations {
        let part = part(operation, app);
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    let whole = parts.join("_");
    if whole.is_empty() {
        return "auto".to_owned();
    }
    if whole.len() <= longest {
        return whole;
    }
    let mut text = String::new();
    for part in &parts {
        if text.len() + part.len() + 1 + MORE.len() > longest {
            break;
        }
        if !text.is_empty() {
            text.push('_');
        }
        text.push_str(part);
    }
    if text.is_empty() { "auto".to_owned() } else { text + MORE }
}

fn part(operation: &Operation, app: &str) -> String {
    let short = |table: &str| short(table, app).to_owned();
    let text = match operation {
        Operation::CreateTable { name, .. } => short(name),
        Operation::DropTable { name } => format!("drop_{}", short(name)),
        Operation::RenameTable { from, to } => format!("rename_{}_{}", short(from), short(to)),
        Operation::AddColumn { table, column, .. } => format!("{}_{}", short(table), column.name),
        Operation::DropColumn { table, name, .. } => format!("drop_{}_{name}", short(table)),
        Operation::RenameColumn { table, from, to } => format!("rename_{}_{from}_{to}", short(table)),
        Operation::AlterColumn { table, column, .. } => format!("alter_{}_{}", short(table), column.name),
        Operation::AddIndex { table, index } => {
            let kind = if index.unique { "unique" } else { "index" };
            format!("{}_{}_{kind}", short(table), index.columns.join("_"))
        }
        Operation::DropIndex { name, .. } => format!("drop_{name}"),
        Operation::AddForeignKey { table, key } => format!("{}_{}_key", short(table), key.columns.join("_")),
        Operation::DropForeignKey { name, .. } => format!("drop_{name}"),
        Operation::Sql(_) | Operation::Run(_) => String::new(),
    };
    let plain = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '_',
    };
    text.chars()
        .map(plain)
        .collect::<String>()
        .split('_')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}
