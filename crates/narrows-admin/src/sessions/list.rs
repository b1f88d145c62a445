use std::collections::HashMap;

use axum::extract::Query;
use chrono::Utc;
use narrows_django::{ListSessionsError, ListedSession, UserId};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Result, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{DELETE, VIEW};
use crate::live;
use crate::shell::AdminPage;
use narrows_django::SessionId;

/// So many sessions a page has.
const PER_PAGE: u64 = 50;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// A user's name or id.
    #[serde(default)]
    user: String,
    #[serde(default)]
    from: String,
}

#[derive(Debug, Serialize)]
struct Line {
    id: String,
    /// A part of the key's digest.
    short: String,
    user: Option<String>,
    user_id: Option<String>,
    expires: String,
    is_over: bool,
    /// It is the one of who looks.
    is_own: bool,
}

/// The sessions, those that last longest first.
pub(crate) async fn list(page: AdminPage, Query(asked): Query<Asked>) -> Result {
    page.staff().need(VIEW)?;
    let accounts = page.site().accounts().clone();
    let title = "Sessions";
    let crumbs = page.crumbs(&[(title, None)]);
    let user = match asked.user.trim() {
        "" => None,
        text => Some(live::user_id(&accounts, text).await?),
    };
    let from = asked.from.parse().unwrap_or(0).min(1_000_000_000);
    let found = match accounts.list_sessions(user.as_ref(), from, PER_PAGE).await {
        Err(ListSessionsError::NotListed) => {
            return page.render("admin/sessions/list.html", context! { title, crumbs, is_listed => false });
        }
        found => found?,
    };
    let ids = found.sessions.iter().filter_map(|session| session.user.as_ref().map(UserId::as_str));
    let names = live::names(&accounts, ids).await?;
    let own = own_digest(&page);
    let lines: Vec<Line> = found.sessions.iter().map(|one| line(one, &names, own.as_deref())).collect();
    let query = match asked.user.trim() {
        "" => String::new(),
        user => format!("user={}&", utf8_percent_encode(user, NON_ALPHANUMERIC)),
    };
    page.render(
        "admin/sessions/list.html",
        context! {
            title, crumbs, is_listed => true,
            count => found.count,
            lines => Value::from(Serde(lines)),
            next => found.next.map(|next| format!("?{query}from={next}")),
            is_later => from > 0,
            first => format!("?{query}"),
            user_id => user.as_ref().map(|id| id.as_str().to_owned()),
            user_asked => asked.user.trim().to_owned(),
            may_end => page.staff().may(DELETE),
        },
    )
}

/// The digest of the session of who looks.
pub(super) fn own_digest(page: &AdminPage) -> Option<String> {
    page.session().key().map(|key| SessionId::of(&key).digest())
}

fn line(session: &ListedSession, names: &HashMap<String, String>, own: Option<&str>) -> Line {
    let digest = session.id.digest();
    let user_id = session.user.as_ref().map(|id| id.as_str().to_owned());
    Line {
        id: session.id.to_string(),
        short: digest[..12].to_owned(),
        user: user_id.as_ref().map(|id| names.get(id).unwrap_or(id).clone()),
        user_id,
        expires: session.expires.format("%Y-%m-%d %H:%M UTC").to_string(),
        is_over: session.expires <= Utc::now(),
        is_own: own == Some(&digest),
    }
}
