//! The one task that owns a consumer: it answers the handshake, hands in what comes, and ends in order.

mod connect;
mod farewell;
mod guard;
mod input;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;

use self::connect::Opened;
pub(crate) use self::connect::{Decision, Entry, Handshake, session_ended};
use self::guard::poll_guarded;
use self::input::{Input, give_back};
use crate::close::Close;
use crate::codec::{DecodeError, Incoming, Payload};
use crate::connection::{Connection, Link};
use crate::consumer::Consumer;
use crate::protocol::{self, Envelope, Request};
use crate::resume::renewed;
use crate::shard::{End, Frame, FrameKind, InboxItem, Method, Ready};
use crate::stats::DropReason;
use crate::transport::frame::{Decoder, FrameLimits, Item, Opcode, ProtocolError, Role, encode};

/// Why a session stops handing things in.
pub(crate) enum Ending {
    /// The client's close frame.
    Client(Option<(u16, String)>),
    Protocol(ProtocolError),
    /// The client's direction ended without one.
    Eof,
    Shard(End),
    Close(Close),
    Panicked,
}

/// Runs a connection from its handshake to its end.
///
/// Most of a connection's life is spent waiting in `serve`, and the task holds room for the largest of its states:
/// whatever else it does is boxed while it lasts.
pub(crate) async fn run<C: Consumer>(handshake: Box<Handshake<C>>) {
    let Some(Opened { mut consumer, mut conn, socket }) = Box::pin(connect::connect(handshake)).await else {
        return;
    };
    let mut decoder = Decoder::new(Role::Server);
    let ending = match socket {
        None => Ending::Eof,
        Some(early) => serve(&mut consumer, &mut conn, &mut decoder, early).await,
    };
    Box::pin(farewell::end(consumer, conn, decoder, ending)).await;
}

/// What one step through the input asks for.
enum Step<In> {
    /// Nothing yet, or nothing to do.
    More,
    Message {
        read: Result<In, DecodeError>,
        /// What asks for a reply.
        reference: Option<u64>,
    },
    /// Not for the consumer: the client asks the server itself.
    Request {
        read: Result<Request, DecodeError>,
        reference: Option<u64>,
    },
    /// The message's own code panicked.
    Panicked,
    Pong(Bytes),
    Close(Option<(u16, String)>),
}

async fn serve<C: Consumer>(
    consumer: &mut C,
    conn: &mut Connection<C>,
    decoder: &mut Decoder,
    early: Vec<u8>,
) -> Ending {
    let link = conn.link.0.clone();
    let mut input = Input::owned(early);
    loop {
        while !input.is_empty() {
            let step = match next_step::<C>(decoder, &mut input, &link) {
                Ok(step) => step,
                Err(error) => {
                    input.give_back(&link);
                    return Ending::Protocol(error);
                }
            };
            let ended = match step {
                Step::More => None,
                Step::Pong(bytes) => {
                    // A connection that takes nothing more needs no pong either.
                    let _ = link.send_frame(Frame { bytes, key: 0, kind: FrameKind::Pong });
                    None
                }
                Step::Close(close) => Some(Ending::Client(close)),
                Step::Panicked => Some(Ending::Panicked),
                // What it sent before it knew is not for a consumer that trusts in its session.
                Step::Message { .. } | Step::Request { .. } if conn.has_ended() => {
                    Some(Ending::Shard(End::SessionEnded))
                }
                step => {
                    if matches!(step, Step::Message { .. }) {
                        heard(&link);
                    }
                    let (method, handler) = handler(step, consumer, conn);
                    let ended = handle(&link, method, &mut input, handler).await;
                    if ended.is_none() {
                        conn.end_message();
                        protocol::renew(consumer, conn);
                    }
                    ended
                }
            };
            if let Some(ending) = ended {
                input.give_back(&link);
                return ending;
            }
        }
        // Frees the memory of a message that came in pieces; an idle connection owns none.
        decoder.release();
        let next = next(conn, &link, input.take_buffer()).await;
        let (method, handler): (_, Handler<'_>) = match next {
            Next::Event(event) => (Method::Timer, Box::pin(consumer.event(event, conn))),
            Next::Unreadable => continue,
            Next::Shard(Ready::Bytes(buffer, filled)) => {
                input = Input::shared(buffer, filled);
                continue;
            }
            Next::Shard(Ready::Inbox(item)) => match take_item(consumer, conn, &link, item) {
                Some(taken) => taken,
                None => continue,
            },
            Next::Shard(Ready::Eof) => return Ending::Eof,
            Next::Shard(Ready::End(end)) => return Ending::Shard(end),
        };
        if let Some(ending) = handle(&link, method, &mut input, handler).await {
            return ending;
        }
        protocol::renew(consumer, conn);
    }
}

fn next_step<C: Consumer>(
    decoder: &mut Decoder,
    input: &mut Input,
    link: &Link,
) -> Result<Step<C::In>, ProtocolError> {
    let (used, item) = decoder.decode(input.rest(), &frame_limits(link))?;
    let step = match item {
        None | Some(Item::Pong(_)) => Step::More,
        Some(Item::Text(text)) => read_message(Payload::Text(text), link),
        Some(Item::Binary(bytes)) => read_message(Payload::Binary(bytes), link),
        Some(Item::Ping(payload)) => Step::Pong(encode(Opcode::Pong, payload)),
        Some(Item::Close(close)) => Step::Close(close.map(|(code, reason)| (code, reason.to_owned()))),
    };
    input.advance(used);
    Ok(step)
}

/// Reads a message, and what stands around it where the client speaks `narrows.v1`.
fn read_message<In: Incoming>(payload: Payload<'_>, link: &Link) -> Step<In> {
    if !link.protocol {
        return read_content(payload, None, link);
    }
    let codec = link.settings.codec;
    let Envelope { reference, ours, rest } = Envelope::of(payload, codec);
    if ours {
        return Step::Request { read: Request::read(payload, codec), reference };
    }
    let payload = match (&rest, payload) {
        (None, payload) => payload,
        (Some(rest), Payload::Binary(_)) => Payload::Binary(rest),
        (Some(rest), Payload::Text(_)) => Payload::Text(
            std::str::from_utf8(rest).expect("text without a part between two ASCII characters"),
        ),
    };
    read_content(payload, reference, link)
}

/// Reads a message as its type's own code says.
fn read_content<In: Incoming>(payload: Payload<'_>, reference: Option<u64>, link: &Link) -> Step<In> {
    let codec = link.settings.codec;
    let _mark = link.shard.mark(link.settings.code(Method::Decode));
    match std::panic::catch_unwind(|| In::decode(payload, codec)) {
        Ok(read) => Step::Message { read, reference },
        Err(_) => Step::Panicked,
    }
}

/// A handler at work. Boxed, so that an idle connection costs the same however much its handlers hold.
type Handler<'a> = Pin<Box<dyn Future<Output = Result<(), Close>> + Send + 'a>>;

/// A message of the client came for the consumer.
fn heard(link: &Link) {
    link.shard.tally().receive();
    if !link.settings.limits.idle_timeout.is_zero() {
        link.shard.local(|state| state.heard_message(link.key));
    }
}

/// What is to be done with what the client sent.
fn handler<'a, C: Consumer>(
    step: Step<C::In>,
    consumer: &'a mut C,
    conn: &'a mut Connection<C>,
) -> (Method, Handler<'a>) {
    match step {
        Step::Message { read: Ok(message), reference } => {
            conn.begin_message(reference, None);
            (Method::Receive, Box::pin(consumer.receive(message, conn)))
        }
        Step::Message { read: Err(error), reference } => {
            conn.begin_message(reference, Some(&error));
            (Method::Malformed, Box::pin(consumer.malformed(error, conn)))
        }
        Step::Request { read, reference } => {
            let token = if matches!(read, Ok(Request::Ping)) { renewed(consumer, conn) } else { None };
            let answering = async move {
                protocol::answer(conn, read, reference, token).await;
                Ok(())
            };
            (Method::Request, Box::pin(answering))
        }
        _ => (Method::Request, Box::pin(std::future::ready(Ok(())))),
    }
}

/// Runs a handler to its end. Most are done at once; for one that is not, the shard's read buffer goes back.
async fn handle(link: &Link, method: Method, input: &mut Input, mut handler: Handler<'_>) -> Option<Ending> {
    let (mut last_while, mut waited) = (None, false);
    let ended = poll_fn(|cx| {
        let polled = poll_guarded(link, method, &mut handler, &mut last_while, cx);
        if polled.is_pending() {
            waited = true;
            input.settle(link);
        }
        polled
    })
    .await;
    // Nobody can have ended it before the first wait: its shard did nothing else.
    if waited && ended.is_none() && link.shard.local(|state| state.end_of(link.key)) == Some(Some(End::Ended))
    {
        return Some(Ending::Shard(End::Ended));
    }
    ended
}

enum Next<E> {
    Shard(Ready),
    Event(E),
    /// A timer's own code panicked; there is nothing to hand in.
    Unreadable,
}

/// Waits for what comes first: bytes, an event, a timer, the end.
/// The shard's read buffer goes back on the way, if it is still here.
async fn next<C: Consumer>(
    conn: &mut Connection<C>,
    link: &Link,
    mut buffer: Option<Box<[u8]>>,
) -> Next<C::Event> {
    poll_fn(|cx| {
        if let Some(timers) = &mut conn.timers {
            // A timer's event is handled without another look at the shard.
            give_back(buffer.take(), link);
            let mark = link.shard.mark(link.settings.code(Method::Timer));
            let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| timers.poll(cx)));
            drop(mark);
            match polled {
                Ok(Poll::Ready(event)) => return Poll::Ready(Next::Event(event)),
                Ok(Poll::Pending) => {}
                Err(_) => return Poll::Ready(Next::Unreadable),
            }
        }
        let polled = link.shard.local(|state| {
            if let Some(buffer) = buffer.take() {
                state.give_back(buffer);
            }
            state.poll(link.key, cx)
        });
        match polled {
            None => Poll::Ready(Next::Shard(Ready::End(End::Lost))),
            Some(polled) => polled.map(Next::Shard),
        }
    })
    .await
}

/// Begins to hand in what the inbox held.
fn take_item<'a, C: Consumer>(
    consumer: &'a mut C,
    conn: &'a mut Connection<C>,
    link: &Link,
    item: InboxItem,
) -> Option<(Method, Handler<'a>)> {
    if let InboxItem::Lost(topic) = item {
        // Left in the meantime, it has no name here.
        let topic = link.channels.hub().topic(topic)?;
        let told = async move { consumer.unrecovered(topic.name(), conn).await };
        return Some((Method::Unrecovered, Box::pin(told)));
    }
    let event = read_item(conn, link, item)?;
    Some((Method::Event, Box::pin(consumer.event(event, conn))))
}

/// Reads what the inbox held as the consumer's event.
fn read_item<C: Consumer>(conn: &Connection<C>, link: &Link, item: InboxItem) -> Option<C::Event> {
    let delivery = match item {
        InboxItem::Gap(gap) => return conn.gap_reader.map(|read| read(gap)),
        // Told before anything is read.
        InboxItem::Lost(_) => return None,
        InboxItem::Message(delivery) => delivery,
    };
    // Left in the meantime: the message is no longer wanted.
    let (_, read) = conn.readers.iter().find(|(topic, _)| *topic == delivery.topic)?;
    let _mark = link.shard.mark(link.settings.code(Method::Event));
    let read = std::panic::AssertUnwindSafe(|| read(&delivery.payload, delivery.format));
    let error = match std::panic::catch_unwind(read) {
        Ok(Ok(event)) => return Some(event),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "reading it panicked".to_owned(),
    };
    link.channels.counters().drop_of(DropReason::Undecodable, 1);
    tracing::warn!(consumer = link.settings.name, error, "a message of a group was skipped");
    None
}

pub(crate) fn frame_limits(link: &Link) -> FrameLimits {
    let limits = &link.settings.limits;
    FrameLimits {
        max_frame_bytes: limits.max_frame_bytes,
        max_message_bytes: limits.max_message_bytes,
        max_fragments: limits.max_fragments,
    }
}

/// Catches the panics of a user's future, so that it ends its own connection and nothing else.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, ()> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(())),
        }
    })
    .await
}

#[cfg(test)]
mod sizes;
