//! Users: what is special about their rows.

mod add;
mod password;

use std::collections::BTreeMap;

use narrows_django::{Accounts, UserId};
use narrows_web::Result;
use narrows_web::context;
use narrows_web::minijinja::Value;

pub(crate) use self::add::{page as add, submit as submit_add};
pub(crate) use self::password::{page as password, submit as submit_password};
use crate::form::Problems;
use crate::model::{Model, Role};
use crate::rows::{Key, Row};
use crate::shell::{AdminPage, Staff};
use crate::value::Cell;

/// Whether the row is the one who asks.
pub(crate) fn is_self(staff: &Staff, model: &Model, key: &Key) -> bool {
    model.role == Role::Users && key.0.first().map(String::as_str) == Some(staff.user().id.as_str())
}

/// Whether they may change, delete or give a password to this row: accounts of the staff belong to superusers, but for
/// one's own.
pub(crate) fn may_touch(staff: &Staff, accounts: &Accounts, model: &Model, row: &Row) -> bool {
    if model.role != Role::Users || staff.user().is_superuser || is_self(staff, model, &row.key) {
        return true;
    }
    let users = accounts.user_model();
    [&users.is_staff, &users.is_superuser].into_iter().flatten().all(|column| {
        // What cannot be read is refused.
        model.field(column).is_none_or(|at| row.cell(at).as_deref() == Some("false"))
    })
}

/// Names and addresses in their one form.
pub(crate) fn check(
    accounts: &Accounts,
    model: &Model,
    values: &mut BTreeMap<usize, Cell>,
    problems: &mut Problems,
) {
    if model.role != Role::Users {
        return;
    }
    let users = accounts.user_model();
    let mut good = |column: Option<&String>,
                    check: &dyn Fn(&str) -> Result<String, narrows_django::NameProblem>| {
        let Some(at) = column.and_then(|column| model.field(column)) else { return };
        let Some(Some(text)) = values.get(&at).cloned() else { return };
        match check(&text) {
            Ok(text) => {
                values.insert(at, Some(text));
            }
            Err(problem) => problems.add(at, sentence(&problem.to_string())),
        }
    };
    let is_email = users.email.as_ref() == Some(&users.username);
    if !is_email {
        good(Some(&users.username), &|name| accounts.good_username(name));
    }
    good(users.email.as_ref(), &|address| accounts.good_email(address));
}

/// Nobody takes from themselves, by accident, what they need to undo it.
pub(crate) fn keep_in(
    accounts: &Accounts,
    model: &Model,
    values: &BTreeMap<usize, Cell>,
    problems: &mut Problems,
) {
    let users = accounts.user_model();
    for column in [&users.is_active, &users.is_staff, &users.is_superuser].into_iter().flatten() {
        let Some(at) = model.field(column) else { continue };
        if values.get(&at).is_some_and(|value| value.as_deref() == Some("false")) {
            problems
                .add(at, "This is your own account: you would lock yourself out. Somebody else can do it.");
        }
    }
}

/// What is done when users were changed: who may not log in, or may less than before, has no sockets.
pub(crate) async fn changed(page: &AdminPage, model: &Model, keys: &[Key], may_less: bool) -> Result<()> {
    if model.role != Role::Users {
        return Ok(());
    }
    let (accounts, ids) = (page.site().accounts(), keys.iter().map(user_id).collect::<Vec<_>>());
    let users = accounts.users_by_ids(&ids).await?;
    for id in &ids {
        if may_less || users.get(id).is_none_or(|user| !user.is_active) {
            accounts.end_sockets(id).await;
        }
    }
    Ok(())
}

/// Whether these values take rights away that a socket may have been opened by.
pub(crate) fn take_rights(accounts: &Accounts, model: &Model, values: &BTreeMap<usize, Cell>) -> bool {
    let users = accounts.user_model();
    let flags = [&users.is_staff, &users.is_superuser].into_iter().flatten();
    let taken = |at: usize| values.get(&at).is_some_and(|value| value.as_deref() == Some("false"));
    model.role == Role::Users && flags.filter_map(|column| model.field(column)).any(taken)
}

/// What a form links to besides.
pub(crate) fn links(page: &AdminPage, model: &Model, row: Option<&Row>, may_save: bool) -> Value {
    let mut links: Vec<Value> = Vec::new();
    let (Some(row), true, Ok(base)) = (row, may_save, page.url_of(model)) else { return links.into() };
    let mut add = |title: &str, path: &str| {
        let url = format!("{base}{}/{path}/", row.key);
        links.push(context! { title, url });
    };
    if model.role == Role::Users {
        add("Set password", "password");
    }
    if model.role != Role::Plain && page.staff().user().is_superuser {
        add(if model.role == Role::Users { "Groups and permissions" } else { "Permissions" }, "access");
    }
    links.into()
}

pub(crate) fn user_id(key: &Key) -> UserId {
    UserId::new(key.0.first().map_or("", String::as_str))
}

/// A text of an error as a page says it.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map_or_else(String::new, |first| first.to_uppercase().collect());
    format!("{first}{}.", letters.as_str())
}
