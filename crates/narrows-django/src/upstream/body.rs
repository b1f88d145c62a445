use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::address::Address;

/// A request's body on its way to the upstream, bounded.
pub(super) struct Upload {
    body: Body,
    left: u64,
    progress: Progress,
}

impl Upload {
    pub(super) fn new(body: Body, max_bytes: u64) -> Self {
        Self { body, left: max_bytes, progress: Progress::default() }
    }

    pub(super) fn empty() -> Self {
        Self::new(Body::empty(), 0)
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("the request's body is too long")]
    TooLarge,
    #[error("the client did not send all of its body")]
    Client(#[source] axum::Error),
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        this.progress.polled(polled.is_pending());
        polled.map(|frame| match frame?.map_err(UploadError::Client).map(Frame::into_data) {
            Ok(Ok(data)) => match this.left.checked_sub(data.len() as u64) {
                Some(left) => {
                    this.left = left;
                    Some(Ok(Frame::data(data)))
                }
                None => Some(Err(UploadError::TooLarge)),
            },
            // Trailers, which end a body: whoever joins them to the headers joins what nobody has looked at.
            Ok(Err(_)) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How far an upload is, for who waits for the answer.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    moved: Instant,
    waits_for_client: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { moved: Instant::now(), waits_for_client: false })))
    }
}

impl Progress {
    /// When the body last moved on, and whether the client is to send more of it.
    pub(super) fn look(&self) -> (Instant, bool) {
        let state = self.0.lock().expect("nothing panics in here");
        (state.moved, state.waits_for_client)
    }

    fn polled(&self, pending: bool) {
        let mut state = self.0.lock().expect("nothing panics in here");
        if !pending {
            state.moved = Instant::now();
        }
        state.waits_for_client = pending;
    }
}

/// An answer's body on its way to the client.
pub(super) struct Download {
    body: Incoming,
    idle: Duration,
    /// Runs while the upstream is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    address: Address,
}

impl Download {
    pub(super) fn new(body: Incoming, idle: Duration, address: Address) -> Self {
        Self { body, idle, timer: None, is_waiting: false, address }
    }

    /// Whether the upstream has been waited for for too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.idle.is_zero() {
            return Poll::Pending;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.idle)));
        if !self.is_waiting {
            self.is_waiting = true;
            timer.as_mut().reset(Instant::now() + self.idle);
        }
        pin!(timer).poll(cx)
    }
}

/// Why an answer is cut.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    #[error("the upstream paused for too long within its answer")]
    Idle,
    #[error("the upstream did not send all of its answer")]
    Broken(#[source] hyper::Error),
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = DownloadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DownloadError>>> {
        let this = self.get_mut();
        let ended = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.is_waiting = false;
                // What is no data are trailers, the end.
                return Poll::Ready(frame.into_data().ok().map(|data| Ok(Frame::data(data))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => DownloadError::Broken(error),
            Poll::Pending => match this.poll_late(cx) {
                Poll::Ready(()) => DownloadError::Idle,
                Poll::Pending => return Poll::Pending,
            },
        };
        tracing::warn!(upstream = %this.address, error = &ended as &dyn Error, "an answer is cut");
        Poll::Ready(Some(Err(ended)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
