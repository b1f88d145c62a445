//! Tables and columns that have another name now.

use crate::diff::{DiffError, Steps};
use crate::migration::Operation;
use crate::question::Questions;
use crate::schema::Table;

/// Renames tables: by flags, and those that are alike if somebody says so.
pub(super) fn tables(steps: &mut Steps<'_>, questions: &mut Questions<'_>) -> Result<(), DiffError> {
    // What is said goes before what is asked, so that no question offers a table that is spoken for.
    for to in steps.come() {
        let said = steps.gone().into_iter().find(|from| questions.said_table(from, &to));
        if let Some(from) = said {
            steps.push(Operation::RenameTable { from, to })?;
        }
    }
    for to in steps.come() {
        let now = &steps.new.tables[&to];
        let mut gone = steps.gone();
        gone.retain(|from| are_alike(&steps.state.tables[from], now));
        gone.sort_by_key(|from| usize::MAX - common(&steps.state.tables[from], now));
        for from in gone {
            if questions.renamed_table(&from, &to)? {
                steps.push(Operation::RenameTable { from, to })?;
                break;
            }
        }
    }
    Ok(())
}

/// Renames columns: by flags, by `renamed_from`, and those of the same kind if somebody says so.
pub(super) fn columns(
    steps: &mut Steps<'_>,
    renamed: &[(String, String, String)],
    questions: &mut Questions<'_>,
) -> Result<(), DiffError> {
    for table in steps.kept() {
        let now = &steps.new.tables[&table];
        let is_new = |state: &Table, name: &str| state.columns.iter().all(|column| column.name != name);
        let come: Vec<_> =
            now.columns.iter().filter(|column| is_new(&steps.state.tables[&table], &column.name)).collect();
        // What is said goes before what is asked, so that no question offers a column that is spoken for.
        for asked in [false, true] {
            for column in &come {
                let state = &steps.state.tables[&table];
                if !is_new(state, &column.name) {
                    continue;
                }
                let mut found = None;
                for before in state.columns.iter().filter(|before| is_new(now, &before.name)) {
                    let known = |(of, from, to): &(String, String, String)| {
                        *of == table && *from == before.name && *to == column.name
                    };
                    let is = if asked {
                        before.kind == column.kind
                            && questions.renamed_column(&table, &before.name, &column.name)?
                    } else {
                        questions.said_column(&table, &before.name, &column.name) || renamed.iter().any(known)
                    };
                    if is {
                        found = Some(before.name.clone());
                        break;
                    }
                }
                if let Some(from) = found {
                    let to = column.name.clone();
                    steps.push(Operation::RenameColumn { table: table.clone(), from, to })?;
                }
            }
        }
    }
    Ok(())
}

/// Whether most columns of both are the same.
fn are_alike(one: &Table, other: &Table) -> bool {
    common(one, other) * 2 > one.columns.len().max(other.columns.len())
}

fn common(one: &Table, other: &Table) -> usize {
    let same = |column: &&crate::schema::Column| {
        other.columns.iter().any(|found| found.name == column.name && found.kind == column.kind)
    };
    one.columns.iter().filter(same).count()
}
