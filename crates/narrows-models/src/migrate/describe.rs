use crate::migration::{Operation, Run, Sql};

/// What an operation does, in words.
pub(crate) fn describe(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { name, .. } => format!("create the table `{name}`"),
        Operation::DropTable { name } => format!("drop the table `{name}`"),
        Operation::RenameTable { from, to } => format!("rename the table `{from}` to `{to}`"),
        Operation::AddColumn { table, column, .. } => {
            format!("add the column `{}` to `{table}`", column.name)
        }
        Operation::DropColumn { table, name, .. } => format!("drop the column `{name}` of `{table}`"),
        Operation::RenameColumn { table, from, to } => {
            format!("rename the column `{from}` of `{table}` to `{to}`")
        }
        Operation::AlterColumn { table, column, .. } => {
            format!("change the column `{}` of `{table}`", column.name)
        }
        Operation::AddIndex { table, index } if index.unique => {
            format!("add the unique index `{}` to `{table}`", index.name)
        }
        Operation::AddIndex { table, index } => format!("add the index `{}` to `{table}`", index.name),
        Operation::DropIndex { table, name } => format!("drop the index `{name}` of `{table}`"),
        Operation::AddForeignKey { table, key } => format!("add the foreign key `{}` to `{table}`", key.name),
        Operation::DropForeignKey { table, name } => format!("drop the foreign key `{name}` of `{table}`"),
        Operation::Sql(Sql { .. }) => "run SQL".to_owned(),
        Operation::Run(Run { .. }) => "run code".to_owned(),
    }
}
