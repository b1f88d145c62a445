use std::io::{BufRead, stdin};
use std::process::ExitCode;

use clap::Args;
use narrows_core::{ChannelLayer, Group, Inbound, Receive, Topic};
use serde_json::Value;

use super::{Error, Layer, channel, group, runtime};

/// Send a message to a group, a channel or a user, through the nodes' channel layer
///
/// Example: narrows send chat_lobby '{"type": "chat.message", "message": "hi"}'
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The group, and the message: a JSON object, or - to read one from each line of standard input
    #[arg(value_names = ["GROUP", "MESSAGE"], num_args = 1..=2, required = true)]
    what: Vec<String>,
    /// To this channel in place of a group
    #[arg(long, value_name = "NAME", conflicts_with_all = ["user", "everyone"])]
    channel: Option<String>,
    /// To each device of this user
    #[arg(long, value_name = "NAME", conflicts_with = "everyone")]
    user: Option<String>,
    /// To everyone who is connected
    #[arg(long)]
    everyone: bool,
    #[command(flatten)]
    layer: Layer,
}

impl Send {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let (topic, message) = self.target()?;
        let layer = self.layer.open()?;
        layer.start(Inbound::new(Nobody));
        runtime()?.block_on(async {
            if message != "-" {
                return send(&layer, &topic, message).await;
            }
            for line in stdin().lock().lines() {
                let line = line?;
                if !line.trim().is_empty() {
                    send(&layer, &topic, &line).await?;
                }
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn target(&self) -> Result<(Topic, &str), Error> {
        let topic = match (&self.channel, &self.user) {
            (Some(name), _) => Some(channel(name)?),
            (_, Some(user)) => Some(Group::<()>::inbox(user).topic()),
            _ if self.everyone => Some(Group::<()>::everyone().topic()),
            _ => None,
        };
        match (topic, self.what.as_slice()) {
            (Some(topic), [message]) => Ok((topic, message)),
            (None, [name, message]) => Ok((group(name)?, message)),
            _ => Err(Error::NoTarget),
        }
    }
}

async fn send(layer: &impl ChannelLayer, topic: &Topic, text: &str) -> Result<(), Error> {
    let message: Value = serde_json::from_str(text).map_err(Error::Json)?;
    match &message {
        Value::Object(fields) if !fields.contains_key("type") => {
            eprintln!("narrows: the message has no \"type\"; Django's consumers choose a handler by it");
        }
        Value::Object(_) => {}
        other => return Err(Error::NotAnObject(kind(other))),
    }
    let payload = layer.format().encode(&message)?;
    Ok(layer.publish(topic, payload).await?)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Nothing is subscribed to.
struct Nobody;

impl Receive for Nobody {
    fn deliver(&self, _: &Topic, _: bytes::Bytes) {}
    fn gap(&self, _: Option<&Topic>, _: narrows_core::Gap) {}
}
