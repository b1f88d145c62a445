use chrono::{SubsecRound, Utc};
use narrows_models::sea_orm::{ActiveValue, ConnectionTrait, DbErr, EntityTrait};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::entity::{ActiveModel, Entity};
use crate::model::Field;
use crate::rows::Key;
use crate::shell::Staff;
use crate::value::{Cell, shortened};

/// Of longer values so many characters are kept.
const MAX_CHARS: usize = 500;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Change,
    Delete,
    /// A password was set.
    Password,
    /// A session or a connection was ended.
    End,
    /// An announcement was sent.
    Announce,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Password => "password",
            Self::End => "end",
            Self::Announce => "announce",
        }
    }
}

/// A column that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(super) column: String,
    /// Whether it is better not shown; there is no value then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) secret: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<String>,
}

impl Change {
    /// Of a field of a model; of a secret one only that it changed.
    pub(crate) fn new(field: &Field, old: &Cell, new: &Cell) -> Self {
        if field.secret {
            return Self { column: field.name.clone(), secret: true, old: None, new: None };
        }
        let text = |cell: &Cell| cell.as_deref().map(|text| shortened(text, MAX_CHARS));
        Self { column: field.name.clone(), secret: false, old: text(old), new: text(new) }
    }

    /// Of something that has no field.
    pub(crate) fn of(column: &str, old: Option<&str>, new: Option<&str>) -> Self {
        let text = |text: Option<&str>| text.map(|text| shortened(text, MAX_CHARS));
        Self { column: column.to_owned(), secret: false, old: text(old), new: text(new) }
    }

    /// Whether it says nothing: NULL, and NULL before.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.secret && self.old == self.new
    }
}

/// Writes down what was done, in the transaction in which it is done.
pub(crate) async fn write<C: ConnectionTrait>(
    connection: &C,
    staff: &Staff,
    action: Action,
    table: &str,
    key: &Key,
    label: &str,
    changes: &[Change],
) -> Result<(), DbErr> {
    write_all(connection, staff, action, table, [(key, label, changes.to_vec())]).await
}

/// So many entries are written at once.
const AT_ONCE: usize = 100;

/// Writes down what was done to several rows of a table.
pub(crate) async fn write_all<'a, C: ConnectionTrait>(
    connection: &C,
    staff: &Staff,
    action: Action,
    table: &str,
    rows: impl IntoIterator<Item = (&'a Key, &'a str, Vec<Change>)>,
) -> Result<(), DbErr> {
    let entry = |(key, label, changes): (&Key, &str, Vec<Change>)| ActiveModel {
        id: ActiveValue::NotSet,
        at: ActiveValue::Set(Utc::now().trunc_subsecs(6)),
        user_id: ActiveValue::Set(cut(staff.user().id.as_str(), 100)),
        username: ActiveValue::Set(cut(&staff.user().username, 254)),
        action: ActiveValue::Set(action.name().to_owned()),
        object_table: ActiveValue::Set(cut(table, 100)),
        object_key: ActiveValue::Set(object_key(key)),
        object_label: ActiveValue::Set(shortened(label, 254)),
        changes: ActiveValue::Set(serde_json::to_string(&changes).expect("texts can be written as JSON")),
    };
    let entries: Vec<ActiveModel> = rows.into_iter().map(entry).collect();
    for some in entries.chunks(AT_ONCE) {
        Entity::insert_many(some.iter().cloned()).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// So many letters of a key the log has room for.
pub(super) const MAX_KEY: usize = 255;

/// The key as the log has it; the end of a longer one is a digest.
pub(super) fn object_key(key: &Key) -> String {
    let text = key.to_string();
    if text.len() < MAX_KEY {
        return text;
    }
    let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}_{digest}", cut(&text, MAX_KEY - 1 - digest.len()))
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
