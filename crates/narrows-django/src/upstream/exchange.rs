use std::error::Error as StdError;
use std::io;
use std::pin::pin;
use std::time::Duration;

use http::{Extensions, Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error};
use tokio::time::{Instant, sleep_until};

use super::body::{Progress, Upload, UploadError};
use super::connector::{Connector, Used};
use super::failure::Failure;

/// One request and its answer.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Client<Connector, Upload>,
    pub(super) timeout: Duration,
}

impl Exchange<'_> {
    /// Sends a request, and a second time where the connection was an old one that is closed by now.
    pub(super) async fn run(&self, head: Request<()>, body: Upload) -> Result<Response<Incoming>, Failure> {
        let again = (head.method().is_safe() && body.is_end_stream()).then(|| head.clone());
        match (self.once(head.map(|()| body)).await, again) {
            (Err(Failed { is_stale: true, .. }), Some(head)) => {
                let second = self.once(head.map(|()| Upload::empty())).await;
                second.map_err(|failed| failed.failure)
            }
            (answer, _) => answer.map_err(|failed| failed.failure),
        }
    }

    async fn once(&self, mut request: Request<Upload>) -> Result<Response<Incoming>, Failed> {
        let progress = request.body().progress();
        let connection = capture_connection(&mut request);
        let answer = match self.in_time(request, &progress).await {
            Ok(answer) => answer,
            Err(failure) => return Err(Failed { failure, is_stale: false }),
        };
        let used = || {
            let mut extras = Extensions::new();
            connection.connection_metadata().as_ref()?.get_extras(&mut extras);
            extras.remove::<Used>()
        };
        match answer {
            Ok(answer) => {
                if let Some(used) = used() {
                    used.set();
                }
                Ok(answer)
            }
            Err(error) => {
                let is_stale = !error.is_connect() && used().is_some_and(|used| used.is_set());
                Err(Failed { failure: failure_of(error), is_stale })
            }
        }
    }

    async fn in_time(
        &self,
        request: Request<Upload>,
        progress: &Progress,
    ) -> Result<Result<Response<Incoming>, Error>, Failure> {
        let mut answer = pin!(self.client.request(request));
        if self.timeout.is_zero() {
            return Ok(answer.await);
        }
        loop {
            let (moved, waits_for_client) = progress.look();
            let end = moved + self.timeout;
            if end <= Instant::now() {
                return Err(if waits_for_client { Failure::ClientLate } else { Failure::Late });
            }
            tokio::select! {
                answer = answer.as_mut() => return Ok(answer),
                () = sleep_until(end) => {}
            }
        }
    }
}

struct Failed {
    failure: Failure,
    /// Whether the connection had answered before.
    is_stale: bool,
}

fn failure_of(error: Error) -> Failure {
    let mut source = StdError::source(&error);
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(UploadError::TooLarge) => return Failure::TooLarge,
            Some(UploadError::Client(_)) => return Failure::ClientGone,
            None => source = cause.source(),
        }
    }
    if !error.is_connect() {
        return Failure::Broken(error.into());
    }
    let mut source = StdError::source(&error);
    while let Some(cause) = source {
        if cause.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::TimedOut) {
            return Failure::Late;
        }
        source = cause.source();
    }
    Failure::Away(error.into())
}
