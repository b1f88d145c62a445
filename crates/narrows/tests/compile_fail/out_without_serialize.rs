use narrows::{Close, Connection, Consumer, NoEvent, Reject};

struct ToClient {
    text: String,
}

struct Chat;

impl Consumer for Chat {
    type Scope = ();
    type In = String;
    type Out = ToClient;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, text: String, conn: &mut Connection<Self>) -> Result<(), Close> {
        conn.send(&ToClient { text })?;
        Ok(())
    }
}

fn main() {}
