use std::rc::Rc;

use narrows::{Close, Connection, Consumer, Group, NoEvent, Reject};

struct Chat;

impl Consumer for Chat {
    type Scope = ();
    type In = String;
    type Out = String;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, text: String, conn: &mut Connection<Self>) -> Result<(), Close> {
        let text = Rc::new(text);
        conn.join(&Group::<String>::new("all")?).await?;
        conn.send(&text)?;
        Ok(())
    }
}

fn main() {}
