use std::fmt;
use std::panic::resume_unwind;
use std::sync::PoisonError;

use http::StatusCode;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{BlockingConnection, BlockingConsumer, BlockingResume};
use crate::codec::DecodeError;
use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::resume::Resume;
use crate::sync::{Arc, Mutex};
use crate::{Close, Disconnect, Reject};

/// A [`BlockingConsumer`] as the [`Consumer`] that a route serves: see
/// [`Channels::blocking_consumer`](crate::Channels::blocking_consumer).
pub struct Blocking<C> {
    /// Locked by the handler that runs. A handler may panic or outlive its connection; the value is still here
    /// for `disconnect`, which then waits for the lock.
    value: Arc<Mutex<Option<C>>>,
}

impl<C: BlockingConsumer> Consumer for Blocking<C> {
    type Scope = C::Scope;
    type In = C::In;
    type Out = C::Out;
    type Event = C::Event;

    async fn connect(scope: C::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let value = lend(conn, AbortOnDrop::new, move |conn| C::connect(scope, conn)).await?;
        Ok(Self { value: Arc::new(Mutex::new(Some(value))) })
    }

    async fn receive(&mut self, msg: C::In, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.handle(conn, move |consumer, conn| consumer.receive(msg, conn)).await
    }

    async fn event(&mut self, event: C::Event, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.handle(conn, move |consumer, conn| consumer.event(event, conn)).await
    }

    async fn malformed(&mut self, error: DecodeError, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.handle(conn, move |consumer, conn| consumer.malformed(error, conn)).await
    }

    async fn unrecovered(&mut self, group: &str, conn: &mut Connection<Self>) -> Result<(), Close> {
        let group = group.to_owned();
        self.handle(conn, move |consumer, conn| consumer.unrecovered(&group, conn)).await
    }

    async fn disconnect(self, end: Disconnect, conn: &mut Connection<Self>) {
        let told = move |conn: &mut BlockingConnection<C>| {
            if let Some(consumer) = locked(&self.value, Option::take) {
                consumer.disconnect(end, conn);
            }
        };
        // It is told even when that takes too long: nothing else would be.
        lend(conn, |job| job, told).await;
    }

    fn overflow_key(msg: &C::Out) -> Option<u64> {
        C::overflow_key(msg)
    }
}

impl<C: BlockingResume> Resume for Blocking<C> {
    /// `None` when the handler that made it panicked. In a tuple, as `Some(())` would be written as `None` is.
    type Saved = Option<(C::Saved,)>;

    fn save(&self) -> Self::Saved {
        // No handler runs now: whoever saves does it between them.
        locked(&self.value, |value| value.as_ref().map(|consumer| (consumer.save(),)))
    }

    async fn resume(saved: Self::Saved, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let Some((saved,)) = saved else { return Err(Reject::new(StatusCode::GONE)) };
        let value = lend(conn, AbortOnDrop::new, move |conn| C::resume(saved, conn)).await?;
        Ok(Self { value: Arc::new(Mutex::new(Some(value))) })
    }
}

impl<C: BlockingConsumer> Blocking<C> {
    async fn handle(
        &mut self,
        conn: &mut Connection<Self>,
        handler: impl FnOnce(&mut C, &mut BlockingConnection<C>) -> Result<(), Close> + Send + 'static,
    ) -> Result<(), Close> {
        let value = self.value.clone();
        lend(conn, AbortOnDrop::new, move |conn| {
            locked(&value, |value| value.as_mut().map_or(Ok(()), |consumer| handler(consumer, conn)))
        })
        .await
    }
}

impl<C> fmt::Debug for Blocking<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}

fn locked<T, R>(mutex: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    // After a panic the value is as the handler left it; an async consumer's is no better.
    work(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Work for the connection, from the pool's thread; the answer goes back on a way of its own.
pub(super) type Request<C> =
    Box<dyn for<'a> FnOnce(&'a mut Connection<Blocking<C>>) -> BoxFuture<'a, ()> + Send>;
pub(super) type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs `work` on the pool, and meanwhile does on the connection's own thread what it asks for. Dropped, it
/// leaves what then still comes unanswered, which the other side takes for a closed connection.
async fn lend<C, R, J>(
    conn: &mut Connection<Blocking<C>>,
    guard: impl FnOnce(JoinHandle<R>) -> J,
    work: impl FnOnce(&mut BlockingConnection<C>) -> R + Send + 'static,
) -> R
where
    C: BlockingConsumer,
    R: Send + 'static,
    J: Future<Output = Result<R, tokio::task::JoinError>> + Unpin,
{
    // Whoever asks waits for the answer, so there is never more than one.
    let (requests, mut requested) = mpsc::channel::<Request<C>>(1);
    let mut lent = BlockingConnection::new(requests, conn.codec(), conn.channels().clone());
    let job = guard(tokio::task::spawn_blocking(move || work(&mut lent)));
    while let Some(request) = requested.recv().await {
        request(conn).await;
    }
    match job.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// A job that need not begin when nobody waits for it any more.
struct AbortOnDrop<R>(JoinHandle<R>);

impl<R> AbortOnDrop<R> {
    fn new(job: JoinHandle<R>) -> Self {
        Self(job)
    }
}

impl<R> Future for AbortOnDrop<R> {
    type Output = Result<R, tokio::task::JoinError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx)
    }
}

impl<R> Drop for AbortOnDrop<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
