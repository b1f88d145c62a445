//! What keeps values out of a table, said of the fields, whatever the database calls it.

use narrows_models::sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query};
use narrows_models::sea_orm::{ConnectionTrait, DbErr, RuntimeErr, SqlErr};

use super::input::Problems;
use crate::Admin;
use crate::model::{Model, within};
use crate::rows::Key;
use crate::value::{self, Cell};

/// Finds the sets of fields of which another row has these values already. A set with a NULL is nobody's.
pub(super) async fn taken<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    key: Option<&Key>,
    value_of: impl Fn(usize) -> Option<Cell>,
    problems: &mut Problems,
) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    for set in &model.unique {
        let values: Option<Vec<(usize, String)>> =
            set.iter().map(|at| Some((*at, value_of(*at).flatten()?))).collect();
        let Some(values) = values else { continue };
        let mut same = Condition::all();
        let bound: Option<Vec<Expr>> = values
            .iter()
            .map(|(at, text)| {
                let field = &model.fields[*at];
                Some(field.column().eq(value::bind(field, &Some(text.clone()), backend)?))
            })
            .collect();
        // With one that cannot be compared here the database alone knows.
        let Some(bound) = bound else { continue };
        for column in bound {
            same = same.add(column);
        }
        if let Some(own) = key.and_then(|key| key.condition(model, backend)) {
            same = same.add(own.not());
        }
        let other = Query::select()
            .expr_as(Expr::val(1), Alias::new("one"))
            .from(model.table_ref())
            .cond_where(same)
            .limit(1)
            .to_owned();
        if connection.query_one(&other).await?.is_none() {
            continue;
        }
        let one = model.singular.to_lowercase();
        let text = match set.as_slice() {
            [at] => format!("Another {one} has this {} already.", within(&model.fields[*at].title)),
            several => {
                let titles: Vec<String> = several.iter().map(|at| within(&model.fields[*at].title)).collect();
                format!("Another {one} has this {} already.", titles.join(" and "))
            }
        };
        // The key of a row that is there is not in the form.
        let edited: Vec<&usize> = set.iter().filter(|at| key.is_none() || !model.key.contains(at)).collect();
        match edited.first() {
            // What is made from another field is said there.
            Some(at) => problems.add(model.derived(**at).map_or(**at, |derived| derived.from), text),
            None => problems.form.push(text),
        }
    }
    Ok(())
}

/// Finds the values that point at no row.
pub(super) async fn dangling<C: ConnectionTrait>(
    connection: &C,
    admin: &Admin,
    model: &Model,
    fields: &[usize],
    value_of: impl Fn(usize) -> Option<Cell>,
    problems: &mut Problems,
) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    for at in fields {
        let Some(link) = model.link_of(*at) else { continue };
        let (Some(Some(text)), Some(to)) = (value_of(*at), link.to_columns.first()) else { continue };
        let Some(value) = value::bind(&model.fields[*at], &Some(text), backend) else { continue };
        let table = Alias::new(&link.to_table);
        let target = admin.find(&link.to_table);
        let there = Query::select()
            .expr_as(Expr::val(1), Alias::new("one"))
            .from(target.map_or_else(|| table.into(), |target| target.table_ref()))
            .and_where(Expr::col(Alias::new(to)).eq(value))
            .limit(1)
            .to_owned();
        if connection.query_one(&there).await?.is_none() {
            let one = target.map_or("row".to_owned(), |target| target.singular.to_lowercase());
            problems.add(*at, format!("There is no such {one}. Choose one that is there."));
        }
    }
    Ok(())
}

/// What the database says of values that it does not take; `None`, where it is not about the values.
pub(super) fn refused(error: &DbErr) -> Option<String> {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            return Some("There is a row with these values already.".to_owned());
        }
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
            return Some("A row that this one points at is not there.".to_owned());
        }
        _ => {}
    }
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let error = error.as_database_error()?;
    Some(format!("The database does not take this: {}", error.message()))
}
