use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use narrows::{
    Checking, Close, Connection, Consumer, Group, Identity, IdentityCheck, NoEvent, Presence, PresenceCount,
    PresenceDiff, Reject, Roster, Standing,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Somebody in a room who sees who else is: by name, or by number in a room where that would be too much.
/// `{"roster": null}` asks for the first page of the roster, `{"roster": "key"}` for the one behind a key.
pub(crate) struct Present {
    present: Presence<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sees {
    Diffs,
    Counts,
}

#[derive(Deserialize)]
pub(crate) struct Asks {
    roster: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    Diff(PresenceDiff<Value>),
    Count(PresenceCount),
    Roster(Roster<Value>),
}

impl From<PresenceDiff<Value>> for Shown {
    fn from(diff: PresenceDiff<Value>) -> Self {
        Self::Diff(diff)
    }
}

impl From<PresenceCount> for Shown {
    fn from(count: PresenceCount) -> Self {
        Self::Count(count)
    }
}

impl Consumer for Present {
    type Scope = Path<(Sees, String, String)>;
    type In = Asks;
    type Out = Shown;
    type Event = NoEvent;

    async fn connect(
        Path((sees, room, person)): Path<(Sees, String, String)>,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let present = Group::<()>::keyed("room", &room)?.presence();
        match sees {
            Sees::Diffs => conn.join(&present.diffs()).await?,
            Sees::Counts => conn.join(&present.counts()).await?,
        }
        conn.track(&present, &person, json!({ "name": person })).await?;
        Ok(Self { present })
    }

    async fn receive(&mut self, Asks { roster }: Asks, conn: &mut Connection<Self>) -> Result<(), Close> {
        let page = conn.roster(&self.present, roster.as_deref()).await?;
        Ok(conn.send(&Shown::Roster(page))?)
    }
}

/// What a socket of a whole site holds, and nothing happens: a session with its user, two groups, presence.
pub(crate) struct Resident;

/// A person with a session, made up from the address.
pub(crate) struct Visitor {
    room: String,
    person: String,
}

/// Everybody's session holds.
struct Holds;

impl IdentityCheck for Holds {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move { Ok(identities.iter().map(|_| Standing::Holds(None)).collect()) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = <Path<(String, String)> as FromRequestParts<S>>::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        static CHECK: LazyLock<Arc<Holds>> = LazyLock::new(|| Arc::new(Holds));
        let Path((room, person)) = Path::<(String, String)>::from_request_parts(parts, state).await?;
        // As long as Django's are.
        let (session, proof) = (format!("{person:0>32}"), format!("{person:0>64}"));
        Identity::new()
            .with_session(session)
            .with_user(person.clone())
            .until(SystemTime::now() + Duration::from_secs(14 * 24 * 3600))
            .checked_by(CHECK.clone(), proof)
            .bind(parts);
        Ok(Self { room, person })
    }
}

impl Consumer for Resident {
    type Scope = Visitor;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(Visitor { room, person }: Visitor, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let chat = Group::<Value>::keyed("room", &room)?;
        conn.join(&chat).await?;
        conn.join(&Group::<Value>::keyed("notices", &room)?).await?;
        conn.track(&chat.presence(), &person, json!({ "name": person })).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}
