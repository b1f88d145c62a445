use narrows_core::{Changes, Group, PresenceCount, PresenceDiff};
use serde_json::Value;

use crate::channels::BroadcastError;
use crate::hub::Hub;
use crate::sync::Arc;

/// A diff that would be larger lists fewer keys, and says so: it is to fit what a channel layer carries and what may wait
/// for a client. Stores keep for the next one what is beyond [`PresenceDiff::BYTES`], give or take the last key.
const MAX_BYTES: usize = PresenceDiff::<Value>::BYTES * 3 / 2;

/// Tells one companion of a group what changed, and the other how many are there, as of a version.
pub(super) async fn publish(
    hub: &Arc<Hub>,
    group: &str,
    changes: &Changes,
    (count, version): (u64, u64),
) -> Result<(), BroadcastError> {
    // A name that is none comes from a store of a foreign program.
    let Ok(room) = Group::<()>::new(group) else { return Ok(()) };
    let present = room.presence::<Value>();
    let count = PresenceCount { group: group.to_owned(), count, version };
    let payload = hub.format().encode(&fitted(group, changes))?;
    hub.publish(&present.diffs().topic(), payload).await?;
    let payload = hub.format().encode(&count)?;
    Ok(hub.publish(&present.counts().topic(), payload).await?)
}

/// What is known of changes whose lists are lost.
pub(super) fn without_lists(changes: Changes) -> Changes {
    let Changes { count, version, .. } = changes;
    let (joins, updates, leaves) = Default::default();
    Changes { joins, updates, leaves, count, version, partial: true }
}

fn fitted(group: &str, changes: &Changes) -> PresenceDiff<Value> {
    let mut room = MAX_BYTES;
    let mut takes = |bytes: usize| {
        let fits = bytes <= room;
        room = if fits { room - bytes } else { 0 };
        fits
    };
    let leaves: Vec<_> = changes.leaves.iter().filter(|key| takes(key.len() + 3)).cloned().collect();
    let mut people = |changed: &std::collections::BTreeMap<String, Vec<Value>>| {
        let fits = changed.iter().filter(|(key, metas)| takes(key.len() + 6 + size_of_all(metas)));
        fits.map(|(key, metas)| (key.clone(), metas.clone())).collect()
    };
    let mut diff = PresenceDiff {
        group: group.to_owned(),
        joins: people(&changes.joins),
        updates: people(&changes.updates),
        leaves,
        count: changes.count,
        version: changes.version,
        partial: changes.partial,
    };
    diff.partial |= diff.leaves.len() < changes.leaves.len()
        || diff.joins.len() < changes.joins.len()
        || diff.updates.len() < changes.updates.len();
    diff
}

fn size_of_all(values: &[Value]) -> usize {
    values.iter().map(|value| size(value) + 1).sum()
}

/// About as many bytes as it has as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(values) => 2 + size_of_all(values),
        Value::Object(fields) => 2 + fields.iter().map(|(name, v)| name.len() + 4 + size(v)).sum::<usize>(),
    }
}
