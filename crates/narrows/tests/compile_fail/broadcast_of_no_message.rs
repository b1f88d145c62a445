use narrows::{Channels, Group};

struct Alert {
    text: String,
}

async fn alert(channels: &Channels, group: &Group<Alert>) {
    let alert = Alert { text: "fire".to_owned() };
    println!("{}", alert.text);
    channels.broadcast(group, &alert).await.unwrap();
}

fn main() {}
