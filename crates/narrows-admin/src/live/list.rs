use std::collections::HashMap;
use std::time::SystemTime;

use axum::extract::Query;
use narrows::live::{LiveConnection, LiveFilter, LiveNodes};
use narrows_django::{Accounts, UserId};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Result, context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{END, VIEW};
use crate::shell::AdminPage;

/// So many connections a page has.
const PER_PAGE: usize = 50;

/// So many groups are named.
const GROUPS: usize = 20;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    user: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    group: String,
    /// The last connection of the page before.
    #[serde(default)]
    after: String,
    /// Not empty: the list does not refresh by itself.
    #[serde(default)]
    still: String,
}

#[derive(Debug, Serialize)]
struct Line {
    id: String,
    user: Option<String>,
    user_id: Option<String>,
    path: String,
    consumer: String,
    address: String,
    age: String,
    since: String,
    groups: Vec<String>,
    /// More groups than are named.
    more_groups: usize,
    queued: Option<String>,
    notes: Vec<&'static str>,
}

/// The connections, and what they are in all. With htmx it asks for itself again, every few seconds.
pub(crate) async fn list(page: AdminPage, Query(asked): Query<Asked>) -> Result {
    page.staff().need(VIEW)?;
    let (live, accounts) = (page.site().channels().live(), page.site().accounts().clone());
    let filter = filter(&accounts, &asked).await?;
    let (found, totals, groups) =
        tokio::try_join!(live.connections(&filter), live.totals(), live.groups("", GROUPS))?;
    let is_whole = |nodes: LiveNodes| nodes.silent == 0 && nodes.reached;
    let names = names(&accounts, found.connections.iter().filter_map(|one| one.user.as_deref())).await?;
    let lines: Vec<Line> = found.connections.iter().map(|one| line(one, &names)).collect();
    let consumers = totals.consumers.iter().map(
        |one| context! { name => short(&one.name), full => one.name.clone(), connections => one.connections },
    );
    let consumers: Vec<Value> = consumers.collect();
    let group_url = |name: &str| format!("?group={}", encoded(name));
    let groups_shown: Vec<Value> = groups
        .groups
        .iter()
        .map(|one| context! { name => one.name.clone(), members => one.members, url => group_url(&one.name) })
        .collect();
    page.render(
        "admin/live/list.html",
        context! {
            title => "Live connections",
            crumbs => page.crumbs(&[("Live connections", None)]),
            connections => totals.connections,
            queued => bytes(totals.queued_bytes),
            nodes => said_of(found.nodes),
            is_whole => [found.nodes, totals.nodes, groups.nodes].into_iter().all(is_whole),
            by_node => Value::from(Serde(totals.by_node)),
            consumers, groups => groups_shown, group_count => groups.count,
            lines => Value::from(Serde(lines)),
            next => found.next.map(|next| format!("?{}after={next}", query(&asked))),
            is_later => !asked.after.is_empty(),
            first => format!("?{}", query(&asked)),
            is_still => !asked.still.is_empty(),
            other_way => other_way(&asked),
            here => format!("?{}after={}", query(&asked), encoded(&asked.after)),
            is_narrowed => !(asked.user.is_empty() && asked.path.is_empty() && asked.group.is_empty()),
            user_asked => asked.user, path_asked => asked.path, group_asked => asked.group,
            may_end => page.staff().may(END),
        },
    )
}

/// A user is named or numbered.
async fn filter(accounts: &Accounts, asked: &Asked) -> Result<LiveFilter> {
    let mut filter = LiveFilter::new().limit(PER_PAGE);
    let user = asked.user.trim();
    if !user.is_empty() {
        let id = user_id(accounts, user).await?;
        filter = filter.user(id.as_str());
    }
    if !asked.path.trim().is_empty() {
        filter = filter.path(asked.path.trim());
    }
    if !asked.group.trim().is_empty() {
        filter = filter.group(asked.group.trim());
    }
    // What is no id is no page: the first is shown.
    if let Ok(after) = asked.after.parse() {
        filter = filter.after(after);
    }
    Ok(filter)
}

/// The user of this name, or of this id where nobody has the name.
pub(crate) async fn user_id(accounts: &Accounts, text: &str) -> Result<UserId> {
    match accounts.user_by_name(text).await? {
        Some(user) => Ok(user.id),
        None => known_id(accounts, text).await,
    }
}

/// The id as the table has it, where it does: sockets are known by that, and `007` is no other than 7.
pub(crate) async fn known_id(accounts: &Accounts, text: &str) -> Result<UserId> {
    let user = accounts.user_by_id(&UserId::new(text)).await?;
    Ok(user.map_or_else(|| UserId::new(text), |user| user.id))
}

/// The names of users by their ids.
pub(crate) async fn names(
    accounts: &Accounts,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, String>> {
    let ids: Vec<UserId> = ids.map(UserId::new).collect();
    let users = accounts.users_by_ids(&ids).await?;
    Ok(users.into_iter().map(|(id, user)| (id.as_str().to_owned(), user.username)).collect())
}

fn line(one: &LiveConnection, names: &HashMap<String, String>) -> Line {
    let mut notes = Vec::new();
    if one.is_resumed {
        notes.push("resumed");
    }
    if one.speaks_narrows {
        notes.push("narrows.v1");
    }
    let since = chrono::DateTime::<chrono::Utc>::from(one.since);
    Line {
        id: one.id.to_string(),
        user: one.user.as_ref().map(|id| names.get(id).unwrap_or(id).clone()),
        user_id: one.user.clone(),
        path: one.path.clone(),
        consumer: short(&one.consumer),
        address: one.address.map(|address| address.to_string()).unwrap_or_default(),
        age: age(SystemTime::now().duration_since(one.since).unwrap_or_default().as_secs()),
        since: since.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        groups: one.groups.clone(),
        more_groups: one.group_count.saturating_sub(one.groups.len()),
        queued: (one.queued_bytes > 0)
            .then(|| format!("{} in {} messages", bytes(one.queued_bytes as u64), one.queued_messages)),
        notes,
    }
}

/// Who answered.
fn said_of(nodes: LiveNodes) -> String {
    let all = nodes.answered + nodes.silent;
    let others = if nodes.reached { "" } else { "; the others could not be asked" };
    format!("{} of {all} {} answered{others}", nodes.answered, if all == 1 { "node" } else { "nodes" })
}

/// What narrows the list, as it stands in an address, before more of it.
fn query(asked: &Asked) -> String {
    let parts =
        [("user", &asked.user), ("path", &asked.path), ("group", &asked.group), ("still", &asked.still)];
    let parts = parts.iter().filter(|(_, value)| !value.is_empty());
    parts.map(|(name, value)| format!("{name}={}&", encoded(value))).collect()
}

/// The same page, but refreshing where it stands still, and the other way round.
fn other_way(asked: &Asked) -> String {
    let still = if asked.still.is_empty() { "1" } else { "" };
    let other = Asked { still: still.to_owned(), ..asked.clone() };
    format!("?{}after={}", query(&other), encoded(&asked.after))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A type's name without its modules.
pub(super) fn short(name: &str) -> String {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_ages_and_names_are_short() {
        let sizes = [0, 1023, 1024, 1_572_864].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB"]);
        assert_eq!([5, 61, 3661, 90_000].map(age), ["5 s", "1 min", "1 h 1 min", "1 d 1 h"]);
        assert_eq!(short("site::chat::Room"), "Room");
        assert_eq!(short("narrows::blocking::Blocking<site::Room>"), "Blocking");
    }
}
