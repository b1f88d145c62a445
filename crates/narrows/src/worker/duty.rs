use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{MessageError, PayloadFormat, Topic};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::handler::{HandleError, Handler};
use super::report::{WorkerError, WorkerReport};
use super::source::{Ended, Source};
use crate::hub::Hub;
use crate::stats::{Counters, DropReason};
use crate::sync::Arc;

/// What a worker does for one channel.
pub(super) struct Duty {
    channel: Topic,
    handler: Handler,
    format: PayloadFormat,
    counters: Arc<Counters>,
    settings: DutySettings,
    handling: JoinSet<Result<(), HandleError>>,
    report: WorkerReport,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct DutySettings {
    pub(super) concurrency: usize,
    pub(super) backlog: usize,
    pub(super) drain_timeout: Duration,
}

impl Duty {
    pub(super) fn new(
        channel: Topic,
        handler: Handler,
        format: PayloadFormat,
        counters: Arc<Counters>,
        settings: DutySettings,
    ) -> Self {
        let (handling, report) = Default::default();
        Self { channel, handler, format, counters, settings, handling, report }
    }

    /// Handles messages until told to end or the layer has ended, then drains.
    pub(super) async fn run(
        mut self,
        hub: Arc<Hub>,
        ending: watch::Receiver<bool>,
    ) -> (WorkerReport, Result<(), WorkerError>) {
        let mut source = Source::open(&hub, &self.channel, self.settings.backlog);
        let worked = self.work(&mut source, ending).await;
        let drained = tokio::time::timeout(self.settings.drain_timeout, self.drain(source)).await;
        self.cut_off();
        if drained.is_err() {
            let (channel, unfinished) = (self.channel.name(), self.report.unfinished);
            tracing::warn!(channel, unfinished, "a worker's time to drain is over; what is left is cut off");
        }
        let channel = || self.channel.name().to_owned();
        (self.report, worked.map_err(|Ended| WorkerError::LayerEnded { channel: channel() }))
    }

    async fn work(&mut self, source: &mut Source, mut ending: watch::Receiver<bool>) -> Result<(), Ended> {
        // The worker holds the other end for as long as this runs.
        let mut ending = std::pin::pin!(async move { drop(ending.wait_for(|ending| *ending).await) });
        loop {
            tokio::select! {
                biased;
                () = &mut ending => return Ok(()),
                Some(done) = self.handling.join_next() => self.note(done),
                taken = source.take(), if self.handling.len() < self.settings.concurrency => {
                    self.begin(taken?);
                }
            }
        }
    }

    async fn drain(&mut self, source: Source) {
        // What had come goes to others at once, and not when the last handler is done.
        let (mut left, ()) = tokio::join!(source.close(), self.finish(1));
        while let Some(payload) = left.take() {
            self.begin(payload);
            self.finish(self.settings.concurrency).await;
        }
        self.finish(1).await;
    }

    fn begin(&mut self, payload: Bytes) {
        self.handling.spawn((self.handler)(payload, self.format));
    }

    /// Waits until fewer messages than this are being handled.
    async fn finish(&mut self, fewer_than: usize) {
        while self.handling.len() >= fewer_than
            && let Some(done) = self.handling.join_next().await
        {
            self.note(done);
        }
    }

    fn note(&mut self, done: Result<Result<(), HandleError>, JoinError>) {
        match done {
            Ok(Ok(())) => {
                self.report.handled += 1;
                count(&self.counters.handled);
            }
            Ok(Err(HandleError::Undecodable(error))) => self.undecodable(&error),
            Ok(Err(HandleError::Failed(error))) => {
                self.failed();
                let (channel, error) = (self.channel.name(), &*error as &(dyn Error + 'static));
                tracing::error!(channel, error, "a worker's handler failed; its message is skipped");
            }
            Err(error) if error.is_panic() => {
                self.failed();
                let (channel, panic) = (self.channel.name(), error.into_panic());
                let text = panic.downcast_ref::<&str>().copied();
                let panic = text.or_else(|| panic.downcast_ref().map(String::as_str)).unwrap_or_default();
                tracing::error!(channel, panic, "a worker's handler panicked; its message is skipped");
            }
            // The runtime shuts down.
            Err(_) => self.unfinished(1),
        }
    }

    fn undecodable(&mut self, error: &MessageError) {
        self.report.undecodable += 1;
        self.counters.drop_of(DropReason::Undecodable, 1);
        let channel = self.channel.name();
        tracing::warn!(channel, %error, "a message is not of its channel's type and was skipped");
    }

    fn failed(&mut self) {
        self.report.failed += 1;
        count(&self.counters.failed);
    }

    fn unfinished(&mut self, messages: usize) {
        self.report.unfinished += messages as u64;
        self.counters.drop_of(DropReason::WorkerEnded, messages);
    }

    fn cut_off(&mut self) {
        while let Some(done) = self.handling.try_join_next() {
            self.note(done);
        }
        let cut_off = std::mem::take(&mut self.handling);
        self.unfinished(cut_off.len());
    }
}

impl Drop for Duty {
    /// Dropped before it was told to end: its handlers end with it.
    fn drop(&mut self) {
        self.cut_off();
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
