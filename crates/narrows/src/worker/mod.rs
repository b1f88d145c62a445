//! Background work: the handlers of named channels.

mod duty;
mod handler;
mod outage;
mod report;
mod source;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use narrows_core::{Channel, Group, Message, Topic};
use tokio::sync::watch;

use self::duty::{Duty, DutySettings};
use self::handler::{Handler, erase};
pub use self::report::{WorkerError, WorkerReport};
use crate::Channels;
use crate::presence::is_companion;
use crate::serve::first_signal;

/// Background work: it handles what is sent to named channels, and hears what groups are sent, here or in a process of
/// its own.
///
/// ```
/// use narrows::{Channel, Channels, Worker};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type", rename = "thumbnail")]
/// struct Thumbnail { image: String, width: u32 }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channels = Channels::new();
/// let thumbnails = Channel::<Thumbnail>::new("thumbnails-generate")?;
/// let (made, mut making) = tokio::sync::mpsc::channel(10);
///
/// let worker = Worker::new(&channels).concurrency(4).handle(thumbnails.clone(), move |job| {
///     let made = made.clone(); // each message's future owns what it needs
///     async move {
///         let name = format!("{}-{}.png", job.image, job.width);
///         made.send(name).await // any error; it is logged, and the worker goes on
///     }
/// });
/// // A program that is nothing but this worker: `worker.run().await?`, until SIGTERM or SIGINT.
/// let report = worker.run_until(async {
///     // From anywhere: a view, a consumer, a job, another process on the same channel layer.
///     let job = Thumbnail { image: "cat".into(), width: 200 };
///     channels.send(&thumbnails, &job).await.expect("there is room for one");
///     assert_eq!(making.recv().await.as_deref(), Some("cat-200.png"));
/// });
/// let report = report.await?;
/// assert_eq!((report.handled, report.failed), (1, 0));
/// # Ok(()) }
/// ```
///
/// The workers of a channel, in one process or in many, share its messages where the channel layer has queues
/// ([`ChannelLayer::open`](crate::ChannelLayer::open)): each message goes to one of them, and waits in the layer while
/// all are busy. Where it has none, every worker gets each message, and holds up to [`backlog`](Self::backlog) of
/// them.
///
/// A message that is not of its channel's type, and one whose handler fails or panics, is counted in
/// [`Stats`](crate::Stats), logged, and skipped: it is not tried again. While the channel layer is away the worker
/// waits and tries again.
///
/// It needs no server, and handles its messages as tasks of the tokio runtime on which it runs, not on the shards. In
/// the process of a site let it run until the server has ended, so that what the last connections send is handled:
/// see [background work](https://github.com/narrows-rs/narrows/blob/main/docs/background-work.md).
#[must_use = "`.run()` handles its messages"]
pub struct Worker {
    channels: Channels,
    handlers: Vec<(Topic, Handler)>,
    settings: DutySettings,
}

impl Worker {
    /// A worker without channels yet.
    pub fn new(channels: &Channels) -> Self {
        let settings = DutySettings { concurrency: 1, backlog: 1000, drain_timeout: Duration::from_secs(30) };
        Self { channels: channels.clone(), handlers: Vec::new(), settings }
    }

    /// Handles the messages of a channel. A worker may have several channels; they do not wait for each other.
    ///
    /// The handler is called with one message at a time, and its future is a task of its own. What it returns as an
    /// error is logged with its sources.
    pub fn handle<M, H, F, E>(mut self, channel: Channel<M>, handler: H) -> Self
    where
        M: Message,
        H: Fn(M) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.handlers.push((channel.topic(), erase(handler)));
        self
    }

    /// Hears the messages of a group: each worker process gets every one of them, whoever else does. For code of the site
    /// that is to see what happens in groups, such as who leaves:
    ///
    /// ```
    /// use narrows::{Channels, Group, PresenceDiff, Worker};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let channels = Channels::new();
    /// let present = Group::<()>::new("room.lobby")?.presence::<serde_json::Value>();
    /// let worker = Worker::new(&channels).listen(present.diffs(), |diff: PresenceDiff<_>| async move {
    ///     println!("{:?} left", diff.leaves); // also those whose node died
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// # worker.run_until(async {}).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Up to [`backlog`](Self::backlog) messages of a group wait while the handler is busy; what comes beyond that is
    /// dropped, counted as [`DropReason::WorkerBacklog`](crate::DropReason::WorkerBacklog) and logged. What is sent while
    /// the channel layer is away from this worker is lost to it.
    pub fn listen<M, H, F, E>(mut self, group: Group<M>, handler: H) -> Self
    where
        M: Message,
        H: Fn(M) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.handlers.push((group.topic(), erase(handler)));
        self
    }

    /// How many messages of one channel are handled at once; at least 1. Default 1: one after another, in the order
    /// in which they came.
    pub fn concurrency(mut self, messages: usize) -> Self {
        self.settings.concurrency = messages.max(1);
        self
    }

    /// How long handlers have to finish when the worker is to end. Default 30 s, as for a server.
    pub fn drain_timeout(mut self, drain_timeout: Duration) -> Self {
        self.settings.drain_timeout = drain_timeout;
        self
    }

    /// How many messages of one group may wait for this worker, and at the most 64 MiB; at least 1. Default 1000. On a
    /// channel layer without queues also how many of one channel. What comes beyond that is dropped, counted as
    /// [`DropReason::WorkerBacklog`](crate::DropReason::WorkerBacklog) and logged.
    pub fn backlog(mut self, messages: usize) -> Self {
        self.settings.backlog = messages.max(1);
        self
    }

    /// Handles messages until SIGTERM or SIGINT, then drains: it takes no more, gives back to the channel layer what
    /// had come but was not begun, and returns when the last handler is done or
    /// [`drain_timeout`](Self::drain_timeout) is over. A second signal ends the process at once, with the status that
    /// shells give for it.
    ///
    /// The signals are taken by the call itself: whoever is told of the worker after it, and before the future is
    /// awaited, can end it in the orderly way.
    ///
    /// # Errors
    /// [`WorkerError`] when a channel or group has two handlers, or the channel layer has ended for good.
    ///
    /// # Panics
    /// Where signals cannot be handled, or outside a tokio runtime with I/O and time.
    pub fn run(self) -> impl Future<Output = Result<WorkerReport, WorkerError>> + Send {
        self.run_until(first_signal(|| ()))
    }

    /// Handles messages until `end` is ready, then drains as [`run`](Self::run) does. What `end` sends itself, the
    /// worker gets: on a channel layer with queues they are open before `end` begins.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    ///
    /// # Cancel safety
    /// Dropped, it takes no more messages and drops its handlers where they wait; their messages are counted as
    /// [`DropReason::WorkerEnded`](crate::DropReason::WorkerEnded). Messages that it has not begun are there for other
    /// workers, on a channel layer with queues.
    ///
    /// # Panics
    /// Outside a tokio runtime with time.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Result<WorkerReport, WorkerError> {
        self.check()?;
        let Self { channels, handlers, settings } = self;
        let (hub, tell) = (channels.hub(), watch::Sender::new(false));
        // Who leaves with a node that dies is seen by those who look: this one does, where it hears of it.
        let looks = handlers.iter().any(|(topic, _)| is_companion(topic));
        let _watching = looks.then(|| channels.presences().watch(&channels));
        let duty = |(topic, handler)| {
            let duty = Duty::new(topic, handler, hub.format(), channels.counters().clone(), settings);
            duty.run(hub.clone(), tell.subscribe())
        };
        let mut duties: FuturesUnordered<_> = handlers.into_iter().map(duty).collect();
        let (mut whole, mut outcome) = (WorkerReport::default(), Ok(()));
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                biased;
                Some((report, worked)) = duties.next() => {
                    whole.add(report);
                    outcome = outcome.and(worked);
                    // Where the layer has ended for one channel, the others need not wait.
                    tell.send_replace(true);
                }
                () = &mut end, if !*tell.borrow() => drop(tell.send_replace(true)),
                else => return outcome.map(|()| whole),
            }
        }
    }

    fn check(&self) -> Result<(), WorkerError> {
        if self.handlers.is_empty() {
            tracing::warn!("a worker without channels waits for its end");
        }
        let mut names: Vec<_> = self.handlers.iter().map(|(topic, _)| (topic.kind(), topic.name())).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(WorkerError::TwoHandlers { channel: pair[0].1.to_owned() }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.handlers.iter().map(|(topic, _)| topic.name()).collect();
        f.debug_struct("Worker").field("channels", &channels).field("settings", &self.settings).finish()
    }
}
