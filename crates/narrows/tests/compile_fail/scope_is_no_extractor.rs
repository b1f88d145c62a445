use axum::Router;
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject};

struct Room {
    name: String,
}

struct Chat;

impl Consumer for Chat {
    type Scope = Room;
    type In = String;
    type Out = String;
    type Event = NoEvent;

    async fn connect(room: Room, _: &mut Connection<Self>) -> Result<Self, Reject> {
        println!("{}", room.name);
        Ok(Self)
    }

    async fn receive(&mut self, _: String, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

fn main() {
    let channels = Channels::new();
    let _: Router = Router::new().route("/ws", channels.consumer::<Chat>().route());
}
