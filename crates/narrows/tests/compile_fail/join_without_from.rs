use narrows::{Close, Connection, Consumer, Group, NoEvent, Reject};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Alert {
    text: String,
}

#[derive(Serialize)]
struct ToClient {
    text: String,
}

struct Alerts;

impl Consumer for Alerts {
    type Scope = ();
    type In = String;
    type Out = ToClient;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&Group::<Alert>::new("alerts")?).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: String, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

fn main() {}
