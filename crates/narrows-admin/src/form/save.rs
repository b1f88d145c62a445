//! A form's values on their way into the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use narrows_models::sea_orm::sea_query::{Alias, Expr, Query};
use narrows_models::sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr};

use super::diagnose;
use super::input::{Problems, Texts, edited};
use super::parse::{Typed, as_shown, input_text, parse, untouched, value_of};
use super::was::Was;
use crate::Admin;
use crate::log::{self, Action, Change};
use crate::model::{Derived, Model};
use crate::rows::{self, Key, Row};
use crate::shell::Staff;
use crate::users;
use crate::value::{self, Cell};
use narrows_django::begin_writing;

/// A form that was sent.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) admin: Arc<Admin>,
    pub(crate) model: Arc<Model>,
    pub(crate) staff: Staff,
    pub(crate) texts: Texts,
    /// What a new row has besides.
    pub(crate) more: BTreeMap<usize, Cell>,
    /// What users are checked by.
    pub(crate) accounts: narrows_django::Accounts,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is in the table; whether there was anything to change, and whether it is a user with fewer rights now.
    Saved { key: Key, label: String, is_changed: bool, may_less: bool },
    /// It is not, for these reasons.
    Problems(Problems),
    /// Somebody else changed the row: what it is now, and what the form is to show.
    Conflict { row: Row, texts: Texts, problems: Problems },
    /// The row is gone.
    Gone,
    /// They may not change this one.
    Forbidden,
}

impl Sent {
    /// Adds the row.
    pub(crate) async fn add(self, pool: DatabaseConnection) -> Result<Outcome, DbErr> {
        let model = &self.model;
        let mut problems = Problems::default();
        let mut values = BTreeMap::new();
        for at in edited(model, &self.staff, true) {
            let field = &model.fields[at];
            let text = self.texts.get(&at).map_or("", String::as_str);
            if text.trim().is_empty() && model.key == [at] && field.kind.is_uuid() {
                values.insert(at, Some(value::new_uuid()));
                continue;
            }
            match parse(field, text, true) {
                Ok(Typed::Value(value)) => {
                    values.insert(at, value);
                }
                Ok(Typed::Default) => {}
                Err(text) => problems.add(at, text),
            }
        }
        users::check(&self.accounts, model, &mut values, &mut problems);
        values.extend(self.more.clone());
        self.derive(&mut values, &mut problems, true);
        let transaction = begin_writing(&pool).await?;
        let value_of = |at: usize| values.get(&at).cloned();
        let fields: Vec<usize> = values.keys().copied().collect();
        diagnose::dangling(&transaction, &self.admin, model, &fields, value_of, &mut problems).await?;
        diagnose::taken(&transaction, model, None, value_of, &mut problems).await?;
        if !problems.is_empty() {
            transaction.rollback().await?;
            return Ok(Outcome::Problems(problems));
        }
        match self.insert(&transaction, &values).await {
            Ok((key, label)) => match transaction.commit().await {
                Ok(()) => Ok(Outcome::Saved { key, label, is_changed: true, may_less: false }),
                Err(error) => refused(error),
            },
            Err(error) => self.explain(error, transaction).await,
        }
    }

    /// Makes anew what is made from a value that is saved.
    fn derive(&self, values: &mut BTreeMap<usize, Cell>, problems: &mut Problems, is_new: bool) {
        let model = &self.model;
        for Derived { to, from, make } in &model.derived {
            let field = &model.fields[*to];
            let source = match values.get(from) {
                Some(source) => source.clone(),
                // What the database takes by itself is known as far as the form knows it.
                None if is_new && !problems.fields.contains_key(from) => model.fields[*from].default.clone(),
                None => continue,
            };
            // The key of a row that is there stays.
            if !is_new && model.key.contains(to) {
                continue;
            }
            if source.is_none() && field.null {
                values.insert(*to, None);
                continue;
            }
            match value_of(field, &make(source.as_deref().unwrap_or_default())) {
                Ok(value) => {
                    values.insert(*to, Some(value));
                }
                Err(text) => problems.add(*from, format!("{} is made from this. {text}", field.title)),
            }
        }
    }

    async fn insert(
        &self,
        transaction: &DatabaseTransaction,
        values: &BTreeMap<usize, Cell>,
    ) -> Result<(Key, String), DbErr> {
        let (model, backend) = (&*self.model, transaction.get_database_backend());
        let mut insert = Query::insert();
        insert.into_table(model.table_ref());
        let bound: Vec<(Alias, Expr)> = values
            .iter()
            .filter_map(|(at, cell)| {
                let field = &model.fields[*at];
                Some((Alias::new(&field.name), value::bind(field, cell, backend)?))
            })
            .collect();
        if bound.is_empty() {
            insert.or_default_values();
        } else {
            let (columns, exprs): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
            insert.columns(columns).values(exprs).expect("there are as many values as columns");
        }
        let key = if backend == DbBackend::MySql {
            let done = transaction.execute(&insert).await?;
            let number = || Some(done.last_insert_id().to_string());
            let part = |at: &usize| match values.get(at) {
                Some(value) => value.clone(),
                None => number(),
            };
            Key(model.key.iter().map(|at| part(at).unwrap_or_default()).collect())
        } else {
            let parts = model.key.iter().map(|at| value::select(&model.fields[*at], backend, false));
            insert.returning(Query::returning().exprs(parts));
            let row = transaction.query_one(&insert).await?;
            let row = row.ok_or_else(|| DbErr::RecordNotInserted)?;
            let part = |(place, at): (usize, &usize)| {
                let text = row.try_get_by_index::<Option<String>>(place)?;
                Ok(text.map(|text| value::canonical(&model.fields[*at].kind, text)).unwrap_or_default())
            };
            Key(model.key.iter().enumerate().map(part).collect::<Result<_, DbErr>>()?)
        };
        let row = rows::one(transaction, model, &key, false).await?;
        let label = row.as_ref().map_or_else(|| key.plain(), |row| row.label.clone());
        let changes = values.iter().map(|(at, cell)| Change::new(&model.fields[*at], &None, cell));
        let changes: Vec<Change> = changes.filter(|change| !change.is_nothing()).collect();
        log::write(transaction, &self.staff, Action::Add, &model.table, &key, &label, &changes).await?;
        Ok((key, label))
    }

    /// Changes the row, as far as it was edited.
    pub(super) async fn change(
        self,
        pool: DatabaseConnection,
        key: Key,
        was: Option<Was>,
    ) -> Result<Outcome, DbErr> {
        let model = &self.model;
        let fields = edited(model, &self.staff, false);
        let shown: Vec<usize> = fields.iter().copied().filter(|at| !model.fields[*at].secret).collect();
        let transaction = begin_writing(&pool).await?;
        let Some(row) = rows::one(&transaction, model, &key, true).await? else {
            transaction.rollback().await?;
            return Ok(Outcome::Gone);
        };
        // Whatever it was called in the address.
        let key = row.key.clone();
        if !users::may_touch(&self.staff, &self.accounts, model, &row) {
            transaction.rollback().await?;
            return Ok(Outcome::Forbidden);
        }
        let now = Was::of(model, &shown, &row);
        if was.as_ref() != Some(&now) {
            transaction.rollback().await?;
            return Ok(self.conflict(row, &shown, was, &now));
        }
        let mut problems = Problems::default();
        let mut values = BTreeMap::new();
        for at in &fields {
            let field = &model.fields[*at];
            let text = self.texts.get(at).map_or("", String::as_str);
            let is_kept = if field.secret {
                text.is_empty()
            } else {
                as_shown(field, text) == untouched(field, row.cell(*at))
            };
            if is_kept {
                continue;
            }
            match parse(field, text, false) {
                Ok(Typed::Value(value)) if field.secret || value != *row.cell(*at) => {
                    values.insert(*at, value);
                }
                Ok(_) => {}
                Err(text) => problems.add(*at, text),
            }
        }
        users::check(&self.accounts, model, &mut values, &mut problems);
        self.derive(&mut values, &mut problems, false);
        if users::is_self(&self.staff, model, &key) {
            users::keep_in(&self.accounts, model, &values, &mut problems);
        }
        let value_of = |at: usize| values.get(&at).cloned();
        let changed: Vec<usize> = values.keys().copied().collect();
        diagnose::dangling(&transaction, &self.admin, model, &changed, value_of, &mut problems).await?;
        let value_or_old = |at: usize| Some(values.get(&at).unwrap_or_else(|| row.cell(at)).clone());
        if !values.is_empty() {
            let edits = |set: &&Vec<usize>| set.iter().any(|at| values.contains_key(at));
            if model.unique.iter().any(|set| edits(&set)) {
                diagnose::taken(&transaction, model, Some(&key), value_or_old, &mut problems).await?;
            }
        }
        if !problems.is_empty() || values.is_empty() {
            transaction.rollback().await?;
            if problems.is_empty() {
                return Ok(Outcome::Saved { key, label: row.label, is_changed: false, may_less: false });
            }
            return Ok(Outcome::Problems(problems));
        }
        match self.update(&transaction, &key, &row, &values).await {
            Ok(label) => match transaction.commit().await {
                Ok(()) => {
                    let may_less = users::take_rights(&self.accounts, model, &values);
                    Ok(Outcome::Saved { key, label, is_changed: true, may_less })
                }
                Err(error) => refused(error),
            },
            Err(error) => self.explain(error, transaction).await,
        }
    }

    async fn update(
        &self,
        transaction: &DatabaseTransaction,
        key: &Key,
        row: &Row,
        values: &BTreeMap<usize, Cell>,
    ) -> Result<String, DbErr> {
        let (model, backend) = (&*self.model, transaction.get_database_backend());
        let mut update = Query::update();
        update.table(model.table_ref());
        for (at, cell) in values {
            let field = &model.fields[*at];
            if let Some(value) = value::bind(field, cell, backend) {
                update.value(Alias::new(&field.name), value);
            }
        }
        update.cond_where(key.condition(model, backend).expect("the row was found by it"));
        transaction.execute(&update).await?;
        let label =
            rows::one(transaction, model, key, false).await?.map_or(row.label.clone(), |row| row.label);
        let changes: Vec<Change> =
            values.iter().map(|(at, cell)| Change::new(&model.fields[*at], row.cell(*at), cell)).collect();
        log::write(transaction, &self.staff, Action::Change, &model.table, key, &label, &changes).await?;
        Ok(label)
    }

    /// What is said to somebody whose form is of a row that is no more as it was.
    fn conflict(&self, row: Row, fields: &[usize], was: Option<Was>, now: &Was) -> Outcome {
        let model = &self.model;
        let mut texts = self.texts.clone();
        let mut problems = Problems::default();
        for (place, at) in fields.iter().enumerate() {
            let field = &model.fields[*at];
            if was.as_ref().is_some_and(|was| was.same(now, place)) {
                continue;
            }
            let current = input_text(field, row.cell(*at));
            let typed = as_shown(field, self.texts.get(at).map_or("", String::as_str));
            let is_edited = !was.as_ref().is_some_and(|was| was.shown(model, *at, place, &typed));
            if !is_edited {
                problems.add(*at, "Somebody else changed this in the meantime; this is what it is now.");
                texts.insert(*at, current);
            } else if typed != current {
                let shown = row
                    .cell(*at)
                    .as_ref()
                    .map_or("nothing".to_owned(), |cell| value::show(&field.kind, cell));
                problems.add(*at, format!("Somebody else changed this in the meantime, to: {shown}"));
            }
        }
        let text = "Somebody else changed this in the meantime. Nothing was saved: look at it again, and save what you want.";
        problems.form.push(text.to_owned());
        Outcome::Conflict { row, texts, problems }
    }

    async fn explain(&self, error: DbErr, transaction: DatabaseTransaction) -> Result<Outcome, DbErr> {
        transaction.rollback().await?;
        refused(error)
    }
}

/// What the database says of the values; constraints that are deferred say it at the end of the transaction.
fn refused(error: DbErr) -> Result<Outcome, DbErr> {
    let text = diagnose::refused(&error).ok_or(error)?;
    Ok(Outcome::Problems(Problems { form: vec![text], ..Problems::default() }))
}
