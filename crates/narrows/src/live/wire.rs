//! What nodes say to each other: questions to all, on one group, and answers to the one who asked, on its own.

use narrows_core::Group;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::found::{LiveConnection, LiveFilter, LiveGroup, LiveNode};
use super::id::ConnectionId;

/// A node's number, in hexadecimal digits: not every program that reads JSON has 64 bits for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(pub(super) u64);

/// To all nodes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Said {
    #[serde(rename = "narrows.live.ask")]
    Ask(Ask),
    /// A node goes.
    #[serde(rename = "narrows.live.bye")]
    Bye { node: NodeId },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ask {
    pub(super) from: NodeId,
    pub(super) number: u32,
    /// The one that is meant; others do not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<NodeId>,
    pub(super) what: What,
}

/// What is asked for, or to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Who is here.
    Here,
    Connections(LiveFilter),
    Connection(ConnectionId),
    Totals,
    Groups {
        prefix: String,
        most: usize,
    },
    End {
        id: ConnectionId,
        reason: String,
    },
    Send {
        id: ConnectionId,
        message: Value,
    },
}

/// To the node that asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "narrows.live.answer")]
pub(super) struct Answer {
    pub(super) node: NodeId,
    pub(super) number: u32,
    pub(super) part: Part,
}

/// Whose an [`Answer`] is and to what, without reading all of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) node: NodeId,
    pub(super) number: u32,
}

/// What one node says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Here,
    Connections(Vec<LiveConnection>),
    Connection(Option<Box<LiveConnection>>),
    Totals(LiveNode),
    Groups {
        groups: Vec<LiveGroup>,
        count: u64,
    },
    /// Whether the connection was there.
    Done(bool),
}

/// The one group for the questions of all nodes.
pub(super) fn questions() -> Group<Said> {
    Group::new("narrows.live").expect("the name is legal")
}

/// The group for the answers to one node.
pub(super) fn answers(node: u64) -> Group<Answer> {
    Group::new(format!("narrows.live.{node:016x}")).expect("the name is legal")
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::PayloadFormat;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_a_map_with_a_type_in_both_formats() {
        let id: ConnectionId = "q83vASNFZ4kAAQAAAAcAAAAD".parse().unwrap();
        let what = What::Send { id, message: json!({"type": "notice", "n": 1, "list": [null, 1.5, true]}) };
        let said = Said::Ask(Ask { from: NodeId(7), number: 3, to: Some(NodeId(u64::MAX)), what });
        let written = serde_json::to_value(&said).unwrap();
        assert_eq!(written["type"], "narrows.live.ask");
        assert_eq!(written["to"], "ffffffffffffffff");
        for format in [PayloadFormat::MsgPack, PayloadFormat::Json] {
            let read: Said = format.decode(&format.encode(&said).unwrap()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), written);
        }
    }

    #[test]
    fn every_question_and_answer_is_read_again() {
        let whats = [
            What::Here,
            What::Totals,
            What::Connections(LiveFilter::new().user("1")),
            What::Groups { prefix: "room.".to_owned(), most: 5 },
        ];
        let format = PayloadFormat::MsgPack;
        for what in whats {
            let said = Said::Ask(Ask { from: NodeId(1), number: 1, to: None, what });
            let read: Said = format.decode(&format.encode(&said).unwrap()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{said:?}"));
        }
        for part in [Part::Here, Part::Connection(None), Part::Connections(Vec::new()), Part::Done(true)] {
            let answer = Answer { node: NodeId(1), number: 1, part };
            let read: Answer = format.decode(&format.encode(&answer).unwrap()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{answer:?}"));
        }
    }
}
