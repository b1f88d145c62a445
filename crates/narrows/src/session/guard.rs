use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use super::{Ending, Handler, farewell};
use crate::connection::Link;
use crate::shard::{End, Method};

/// Goes on with a handler: its panic ends its connection only, the outbox is written while it waits, and once the
/// connection is over it is given a last while.
pub(super) fn poll_guarded(
    link: &Link,
    method: Method,
    handler: &mut Handler<'_>,
    last_while: &mut Option<Pin<Box<Sleep>>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Ending>> {
    let mark = link.shard.mark(link.settings.code(method));
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
    drop(mark);
    match polled {
        Ok(Poll::Ready(Ok(()))) => Poll::Ready(None),
        Ok(Poll::Ready(Err(close))) => Poll::Ready(Some(Ending::Close(close))),
        Err(_) => Poll::Ready(Some(Ending::Panicked)),
        Ok(Poll::Pending) => meanwhile(link, last_while, cx),
    }
}

fn meanwhile(
    link: &Link,
    last_while: &mut Option<Pin<Box<Sleep>>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Ending>> {
    match link.shard.local(|state| state.poll_aside(link.key, cx)).unwrap_or(Some(End::Lost)) {
        // A drain waits for handlers; how long is for the server to say.
        None | Some(End::Drain) => return Poll::Pending,
        // The client is told now: it must not get more until the handler is done.
        Some(end) if end.is_urgent() => farewell::end_early(link, end),
        Some(_) => {}
    }
    let time = link.settings.limits.disconnect_timeout;
    let sleep = last_while.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
    std::task::ready!(sleep.as_mut().poll(cx));
    tracing::warn!(consumer = link.settings.name, "a handler went on after its connection and was dropped");
    Poll::Ready(Some(Ending::Eof))
}
