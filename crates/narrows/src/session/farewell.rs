use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::Absence;

use super::{Ending, caught, frame_limits};
use crate::close::{Cause, Disconnect};
use crate::connection::{Connection, Link};
use crate::consumer::Consumer;
use crate::protocol::{COMING_BACK, is_final};
use crate::resume::spend;
use crate::shard::{End, Frame, FrameKind, Method, marked};
use crate::transport::frame::{Decoder, Item, Opcode, Role, encode, encode_close};

/// How the socket is to end.
enum Last {
    /// It is gone: no frame, no waiting.
    Nothing,
    /// Answer the client's close frame and go.
    Reply(Bytes),
    /// Send ours and wait for the client's.
    Close(Bytes),
    /// Send ours; what the client still sends cannot be understood.
    Abandon(Bytes),
}

/// The close code and reason for a client whose session has ended.
const SESSION_ENDED: (u16, &str) = (4401, "session ended");

/// The close code for a client whose connection somebody ended.
const ENDED: u16 = 4403;

/// Ends a connection in order: out of its groups, the close frame, the consumer's `disconnect`.
pub(super) async fn end<C: Consumer>(consumer: C, mut conn: Connection<C>, decoder: Decoder, ending: Ending) {
    let link = conn.link.0.clone();
    conn.link.leave_all();
    // What the shard found out comes before what a handler made of it.
    let found = link.shard.local(|state| state.end_of(link.key)).flatten();
    let ending = match (found, ending) {
        (Some(end), Ending::Close(_) | Ending::Eof | Ending::Shard(_)) => Ending::Shard(end),
        // The client may have been told so already.
        (Some(end), ending) if end.is_urgent() => {
            if matches!(ending, Ending::Panicked) {
                tracing::error!(consumer = link.settings.name, "a handler panicked");
            }
            Ending::Shard(end)
        }
        // It gave the connection up when the link was dead, and the link brought that later.
        (_, Ending::Client(Some((COMING_BACK, _)))) if link.protocol => Ending::Shard(End::Lost),
        (_, ending) => ending,
    };
    conn.end_presence(absence(&ending, &link));
    let (last, disconnect) = last_words(ending, &link);
    tracing::debug!(
        consumer = link.settings.name,
        code = disconnect.code,
        reason = disconnect.reason,
        cause = ?disconnect.cause,
        "connection ended"
    );
    // A broken decoder would keep what it collected of a message that never ends.
    let decoder = if matches!(last, Last::Close(_)) { decoder } else { Decoder::new(Role::Server) };
    let frame = match &last {
        Last::Nothing => None,
        Last::Reply(bytes) | Last::Close(bytes) | Last::Abandon(bytes) => {
            Some(Frame { bytes: bytes.clone(), key: 0, kind: FrameKind::Close })
        }
    };
    if is_final(disconnect.code) && disconnect.cause != Cause::Resumed {
        spend(&mut conn).await;
    }
    link.shard.local(|state| state.close(link.key, frame));
    conn.drop_message();
    let hook = disconnected(consumer, disconnect, &mut conn, &link);
    let time = link.settings.limits.close_timeout;
    tokio::join!(hook, close_socket(&link, decoder, last, time));
}

/// Whether a client is waited for: one that would come back by itself, and did not say that it goes.
fn absence(ending: &Ending, link: &Link) -> Absence {
    let lost = matches!(
        ending,
        Ending::Eof | Ending::Shard(End::Lost | End::PingTimeout | End::Slow | End::Drain | End::Resumed)
    );
    let window = link.channels.resumption().window();
    if lost && link.protocol && !window.is_zero() { Absence::Away(window) } else { Absence::Left }
}

/// Why somebody ended a connection.
fn reason(link: &Link) -> String {
    link.shard.local(|state| state.reason(link.key).unwrap_or_default().to_owned()).unwrap_or_default()
}

/// Tells the client of an urgent end while a handler still runs: the rest of the end comes after that.
pub(super) fn end_early(link: &Link, end: End) {
    let bytes = match end {
        End::Ended => encode_close(ENDED, &reason(link)),
        _ => encode_close(SESSION_ENDED.0, SESSION_ENDED.1),
    };
    link.shard.local(|state| state.close(link.key, Some(Frame { bytes, key: 0, kind: FrameKind::Close })));
}

async fn disconnected<C: Consumer>(consumer: C, end: Disconnect, conn: &mut Connection<C>, link: &Link) {
    let time = link.settings.limits.disconnect_timeout;
    let told = caught(consumer.disconnect(end, conn));
    let told = marked(Some(&link.shard), link.settings.code(Method::Disconnect), told);
    match tokio::time::timeout(time, told).await {
        Ok(Ok(())) => {}
        Ok(Err(())) => tracing::error!(consumer = link.settings.name, "a consumer panicked in `disconnect`"),
        Err(_) => tracing::warn!(consumer = link.settings.name, "`disconnect` took too long and was dropped"),
    }
}

fn last_words(ending: Ending, link: &Link) -> (Last, Disconnect) {
    let consumer = link.settings.name;
    let ours = |code: u16, reason: &str, cause| {
        (Last::Close(encode_close(code, reason)), Disconnect::new(code, reason, cause))
    };
    match ending {
        Ending::Client(Some((code, reason))) => {
            // What the client said comes back to it (RFC 6455, 5.5.1).
            (Last::Reply(encode_close(code, &reason)), Disconnect::new(code, reason, Cause::Client))
        }
        Ending::Client(None) => {
            (Last::Reply(encode(Opcode::Close, &[])), Disconnect::new(1005, "", Cause::Client))
        }
        Ending::Protocol(error) => {
            let (code, reason) = (error.close_code(), error.to_string());
            (Last::Abandon(encode_close(code, &reason)), Disconnect::new(code, reason, Cause::Protocol))
        }
        Ending::Eof | Ending::Shard(End::Lost) => (Last::Nothing, Disconnect::new(1006, "", Cause::Lost)),
        Ending::Shard(End::PingTimeout) => {
            (Last::Nothing, Disconnect::new(1006, "no answer to a ping", Cause::PingTimeout))
        }
        Ending::Shard(End::Idle) => ours(1000, "idle", Cause::Idle),
        Ending::Shard(End::Slow) => ours(1013, "the client reads too slowly", Cause::Slow),
        Ending::Shard(End::SessionEnded) => ours(SESSION_ENDED.0, SESSION_ENDED.1, Cause::SessionEnded),
        Ending::Shard(End::Ended) => ours(ENDED, &reason(link), Cause::Ended),
        Ending::Shard(End::Resumed) => ours(4409, "it goes on in another connection", Cause::Resumed),
        Ending::Shard(End::Drain) => ours(1012, "the server restarts", Cause::Drain),
        Ending::Close(close) => {
            let cause = if close.source().is_some() { Cause::Failed } else { Cause::Closed };
            if let Some(error) = close.source() {
                tracing::error!(consumer, error, "a handler failed");
            }
            let code = close.code();
            let reason = close.into_reason();
            (Last::Close(encode_close(code, &reason)), Disconnect::new(code, reason, cause))
        }
        Ending::Panicked => {
            tracing::error!(consumer, "a handler panicked");
            ours(1011, "internal error", Cause::Panicked)
        }
    }
}

/// Writes the last frame, and waits for the client's part of the closing handshake, for a limited time.
async fn close_socket(link: &Link, decoder: Decoder, last: Last, time: Duration) {
    if matches!(last, Last::Nothing) {
        return;
    }
    let closing = async {
        let drained =
            poll_fn(|cx| link.shard.local(|s| s.poll_drained(link.key, cx)).unwrap_or(false.into()));
        if !drained.await {
            return;
        }
        if matches!(last, Last::Close(_)) && their_close(link, decoder).await {
            return;
        }
        // Both have said that they are done: the socket's drop is the end of the stream.
        if matches!(last, Last::Reply(_)) && link.shard.local(|s| s.ends_when_dropped(link.key)) == Some(true)
        {
            return;
        }
        // The client is to see the end of the stream after the last frame, and not a reset that could take the
        // frame away from it: bytes that nobody read would cause one.
        poll_fn(|cx| link.shard.local(|s| s.poll_shutdown(link.key, cx)).unwrap_or(().into())).await;
        if !matches!(last, Last::Reply(_)) {
            while read(link, &mut [0; 1024]).await > 0 {}
        }
    };
    // When the time is over the socket is cut; that is all there is to do about it.
    let _ = tokio::time::timeout(time, closing).await;
}

/// Reads up to the client's close frame; `false` when none can come.
async fn their_close(link: &Link, mut decoder: Decoder) -> bool {
    let limits = frame_limits(link);
    let mut buffer = [0; 1024];
    loop {
        let mut filled = match read(link, &mut buffer).await {
            0 => return false,
            n => &mut buffer[..n],
        };
        while !filled.is_empty() {
            match decoder.decode(filled, &limits) {
                Ok((_, Some(Item::Close(_)))) => return true,
                Ok((used, _)) => filled = &mut filled[used..],
                Err(_) => return false,
            }
        }
    }
}

/// Reads what there is; 0 at the end, whatever the reason.
async fn read(link: &Link, buffer: &mut [u8]) -> usize {
    poll_fn(|cx| match link.shard.local(|state| state.poll_read(link.key, cx, buffer)) {
        Some(polled) => polled.map(|read| read.unwrap_or(0)),
        None => 0.into(),
    })
    .await
}
