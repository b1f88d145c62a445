use narrows::scope::Cookies;
use narrows::{Close, Connection, Consumer, NoEvent, Raw, Reject};
use serde_json::json;

/// Sends back what it receives.
pub(crate) struct Echo;

impl Consumer for Echo {
    type Scope = ();
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect((): (), _conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, message: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&message)?)
    }
}

/// Says what the handshake looked like, then echoes.
pub(crate) struct Headers;

impl Consumer for Headers {
    type Scope = Cookies;
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect(cookies: Cookies, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let cookies: serde_json::Map<_, _> = cookies.iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
        conn.send(&Raw::Text(json!({ "cookies": cookies }).to_string()))?;
        Ok(Self)
    }

    async fn receive(&mut self, message: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&message)?)
    }
}
