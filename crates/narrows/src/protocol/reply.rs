use serde::Serialize;

use super::Spoken;
use crate::codec::{Codec, DecodeError, EncodeError};
use crate::connection::{Connection, SendError};
use crate::consumer::Consumer;
use crate::encode::encode_value;
use crate::shard::{Frame, FrameKind};

/// A reply that is due to a client, for later: [`Connection::take_reply`] gives it, [`Connection::send_reply`] sends it.
///
/// Nothing else answers the message then. Dropped, it leaves the client to its time-out.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the client waits for it"]
pub struct Reply {
    /// The connection's number: a reply is of no use elsewhere.
    connection: u128,
    reference: u64,
}

impl<C: Consumer> Connection<C> {
    /// Answers the message that is being handled, where the client asked for that with a `ref`: its `request()` returns
    /// this value. To a message without one nothing is sent, and nothing to a message that was answered already.
    ///
    /// A handler that returns `Ok` without a reply answers with no value.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn reply<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply(reply, value),
            None => Ok(()),
        }
    }

    /// Answers the message that is being handled with an error: the client's `request()` fails with this code and
    /// detail. To a message without a `ref` nothing is sent.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn reply_error(&mut self, code: &str, detail: &str) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply_error(reply, code, detail),
            None => Ok(()),
        }
    }

    /// Takes the reply that is due to the message being handled, to answer it later, such as when an event comes.
    /// `None` where the client asked for none.
    pub fn take_reply(&mut self) -> Option<Reply> {
        let spoken = self.spoken.as_mut()?;
        let reference = spoken.reply.take()?;
        Some(Reply { connection: spoken.connection, reference })
    }

    /// Sends a reply that was taken.
    ///
    /// # Errors
    /// As for [`send`](Self::send), and [`SendError::Closed`] for the reply of another connection.
    pub fn send_reply<T: Serialize + ?Sized>(&mut self, reply: Reply, value: &T) -> Result<(), SendError> {
        let frame = reply.value_frame(value, self.codec())?;
        self.send_reply_frame(&reply, frame)
    }

    /// Sends an error in place of a reply that was taken.
    ///
    /// # Errors
    /// As for [`send_reply`](Self::send_reply).
    pub fn send_reply_error(&mut self, reply: Reply, code: &str, detail: &str) -> Result<(), SendError> {
        let frame = reply.error_frame(code, detail, self.codec())?;
        self.send_reply_frame(&reply, frame)
    }

    pub(crate) fn send_reply_frame(&mut self, reply: &Reply, frame: Frame) -> Result<(), SendError> {
        let ours = self.spoken.as_ref().is_some_and(|spoken| spoken.connection == reply.connection);
        if ours { self.link.0.send_frame(frame) } else { Err(SendError::Closed) }
    }

    /// A message of the client is about to be handled.
    pub(crate) fn begin_message(&mut self, reference: Option<u64>, problem: Option<&DecodeError>) {
        if let Some(spoken) = &mut self.spoken {
            spoken.begin(reference, problem);
        }
    }

    /// The message that was being handled is no more: what comes now is not for it.
    pub(crate) fn drop_message(&mut self) {
        if let Some(spoken) = &mut self.spoken {
            (spoken.message_id, spoken.reply, spoken.problem) = (None, None, None);
        }
    }

    /// A message has been handled: it is answered now, if nobody did.
    pub(crate) fn end_message(&mut self) {
        let Some(spoken) = &mut self.spoken else { return };
        spoken.message_id = None;
        let problem = spoken.problem.take();
        let Some(reply) = self.take_reply() else { return };
        let sent = match problem {
            Some(problem) => self.send_reply_error(reply, "malformed", &problem),
            None => self.send_empty(&reply),
        };
        // A connection that takes nothing more needs no reply either.
        let _ = sent;
    }

    pub(crate) fn send_empty(&mut self, reply: &Reply) -> Result<(), SendError> {
        let frame = reply.empty_frame(self.codec())?;
        self.send_reply_frame(reply, frame)
    }
}

impl Spoken {
    fn begin(&mut self, reference: Option<u64>, problem: Option<&DecodeError>) {
        self.reply = reference;
        self.problem = problem.filter(|_| reference.is_some()).map(|problem| problem.to_string().into());
        let named = reference.zip(self.client.as_deref());
        self.message_id = named.map(|(reference, client)| format!("{client}.{reference}").into());
    }

    /// The id of a broadcast for the message that is being handled: `{client}.{ref}` of the first, with `.1` behind it of
    /// the second, and so on. A handler that runs again for the same message gives each the same id.
    pub(crate) fn next_id(&mut self) -> Option<Box<str>> {
        let id = self.message_id.take()?;
        let (message, count) = match id.match_indices('.').nth(1) {
            None => (&*id, 0),
            Some((at, _)) => (&id[..at], id[at + 1..].parse().expect("it was written here")),
        };
        self.message_id = Some(format!("{message}.{}", count + 1_u64).into());
        Some(id)
    }

    /// A reply to what was asked of the server itself.
    pub(crate) fn owe(&self, reference: u64) -> Reply {
        Reply { connection: self.connection, reference }
    }
}

impl Reply {
    pub(crate) fn value_frame<T: Serialize + ?Sized>(
        &self,
        value: &T,
        codec: Codec,
    ) -> Result<Frame, EncodeError> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "narrows.reply")]
        struct WithValue<'a, T: Serialize + ?Sized> {
            r#ref: u64,
            value: &'a T,
        }
        control(&WithValue { r#ref: self.reference, value }, codec)
    }

    pub(crate) fn error_frame(&self, code: &str, detail: &str, codec: Codec) -> Result<Frame, EncodeError> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "narrows.reply")]
        struct WithError<'a> {
            r#ref: u64,
            error: Problem<'a>,
        }
        #[derive(Serialize)]
        struct Problem<'a> {
            code: &'a str,
            detail: &'a str,
        }
        control(&WithError { r#ref: self.reference, error: Problem { code, detail } }, codec)
    }

    fn empty_frame(&self, codec: Codec) -> Result<Frame, EncodeError> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "narrows.reply")]
        struct Empty {
            r#ref: u64,
        }
        control(&Empty { r#ref: self.reference }, codec)
    }
}

fn control(message: &impl Serialize, codec: Codec) -> Result<Frame, EncodeError> {
    Ok(Frame { kind: FrameKind::Control, ..encode_value(message, codec)? })
}
