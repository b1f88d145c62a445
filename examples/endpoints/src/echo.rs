use narrows::scope::Handshake;
use narrows::{Close, Connection, Consumer, NoEvent, Raw, Reject};
use serde_json::{Map, Value};

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
    type Scope = Handshake;
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect(handshake: Handshake, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let told = serde_json::to_value(&handshake)?;
        let facts = ["client", "scheme", "path", "query", "cookies", "headers"];
        let facts: Map<_, _> = facts.into_iter().map(|fact| (fact.to_owned(), told[fact].clone())).collect();
        conn.send(&Raw::Text(Value::Object(facts).to_string()))?;
        Ok(Self)
    }

    async fn receive(&mut self, message: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&message)?)
    }
}
