use narrows::{Close, Connection, Consumer, NoEvent, Reject};

struct FromClient {
    text: String,
}

struct Chat;

impl Consumer for Chat {
    type Scope = ();
    type In = FromClient;
    type Out = String;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, msg: FromClient, _: &mut Connection<Self>) -> Result<(), Close> {
        println!("{}", msg.text);
        Ok(())
    }
}

fn main() {}
