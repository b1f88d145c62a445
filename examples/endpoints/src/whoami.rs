use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use narrows::{Close, Connection, Consumer, NoEvent, Raw, Reject};
use narrows_django::{Accounts, MaybeUser, Refused};
use serde_json::json;

/// Says who its client is, first and then for each message: `{"user": "ada"}`, or `null` for nobody.
pub(crate) struct WhoAmI {
    name: Option<String>,
}

/// The name of who is logged in, by the session or by a token in `?sesame=`.
pub(crate) struct Name(Option<String>);

impl FromRequestParts<Option<Accounts>> for Name {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, accounts: &Option<Accounts>) -> Result<Self, Refused> {
        let MaybeUser(user) = match accounts {
            Some(_) => MaybeUser::from_request_parts(parts, accounts).await?,
            None => MaybeUser(None),
        };
        Ok(Self(user.map(|user| user.username)))
    }
}

impl Consumer for WhoAmI {
    type Scope = Name;
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect(Name(name): Name, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let this = Self { name };
        conn.send(&this.answer())?;
        Ok(this)
    }

    async fn receive(&mut self, _: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&self.answer())?)
    }
}

impl WhoAmI {
    fn answer(&self) -> Raw {
        Raw::Text(json!({ "user": self.name }).to_string())
    }
}
