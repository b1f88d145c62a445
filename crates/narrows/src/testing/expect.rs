use std::any::type_name;
use std::panic::Location;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::TestClient;
use super::difference::{expected_json, must_equal};
use super::received::Received;

/// What a test waits for.
impl TestClient {
    /// The next message, or the end; `None` when nothing comes in time. Once the connection has ended, it
    /// says so every time.
    ///
    /// # Cancel safety
    /// Dropped, it has taken nothing.
    pub async fn next(&mut self) -> Option<Received> {
        self.within(self.times.receive).await
    }

    /// The next message, read as a value by the client's codec.
    ///
    /// # Panics
    /// When what comes is not such a value, or nothing does.
    #[track_caller]
    pub fn receive<T>(&mut self) -> impl Future<Output = T> + Send + use<'_, T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let at = Location::caller();
        async move {
            let wanted = format!("a message of type `{}`", type_name::<T>());
            let received = self.message(&wanted, at).await;
            match received.decode(self.codec) {
                Ok(value) => value,
                Err(error) => panic!("expected {wanted}, got {received}\n  {error}\n  at {at}"),
            }
        }
    }

    /// The next message, which must be text.
    ///
    /// # Panics
    /// When something else comes, or nothing does.
    #[track_caller]
    pub fn receive_text(&mut self) -> impl Future<Output = String> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.message("a text message", at).await {
                Received::Text(text) => text,
                other => panic!("expected a text message, got {other}\n  at {at}"),
            }
        }
    }

    /// The next message, which must be binary.
    ///
    /// # Panics
    /// When something else comes, or nothing does.
    #[track_caller]
    pub fn receive_binary(&mut self) -> impl Future<Output = Bytes> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.message("a binary message", at).await {
                Received::Binary(bytes) => bytes,
                other => panic!("expected a binary message, got {other}\n  at {at}"),
            }
        }
    }

    /// Waits for a message that equals this value: a `json!`, or a value of the server's own type.
    ///
    /// Both are compared as JSON, so the order of fields does not matter.
    ///
    /// # Panics
    /// When something else comes, with the places where it differs, or nothing does.
    #[track_caller]
    pub fn expect<T>(&mut self, expected: &T) -> impl Future<Output = ()> + Send + use<'_, T>
    where
        T: Serialize + ?Sized,
    {
        let at = Location::caller();
        let expected = expected_json(expected, at);
        async move {
            let received = self.message(&expected.to_string(), at).await;
            match received.decode::<Value>(self.codec) {
                Ok(value) => must_equal(&expected, &value, at),
                Err(error) => panic!("expected {expected}\n     got {received}\n  {error}\n  at {at}"),
            }
        }
    }

    /// Waits for exactly this text.
    ///
    /// # Panics
    /// When something else comes, or nothing does.
    #[track_caller]
    pub fn expect_text(&mut self, expected: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            match self.message(&format!("the text {expected:?}"), at).await {
                Received::Text(text) if text == expected => {}
                other => panic!("expected the text {expected:?}\n     got {other}\n  at {at}"),
            }
        }
    }

    /// Makes sure that nothing comes, for the server's [`quiet_time`](super::TestServer::quiet_time); under a
    /// paused clock that costs no time.
    ///
    /// # Panics
    /// When something comes, the end of the connection too.
    #[track_caller]
    pub fn expect_nothing(&mut self) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        async move {
            if let Some(received) = self.within(self.times.quiet).await {
                panic!("expected nothing, got {received}\n  at {at}");
            }
        }
    }

    /// Waits for the server to end the connection with this code, and gives the reason. 1006 waits for a
    /// connection that is lost without a close frame.
    ///
    /// # Panics
    /// When a message comes before, another code, or nothing.
    #[track_caller]
    pub fn expect_close(&mut self, code: u16) -> impl Future<Output = String> + Send + '_ {
        let at = Location::caller();
        async move {
            match self.next().await {
                Some(Received::Closed { code: came, reason }) if came == code => reason,
                Some(other) => {
                    panic!("expected the end of the connection: {code}\n     got {other}\n  at {at}")
                }
                None => {
                    let time = self.times.receive;
                    panic!("expected the end of the connection: {code}, got nothing for {time:?}\n  at {at}")
                }
            }
        }
    }

    async fn within(&mut self, time: std::time::Duration) -> Option<Received> {
        if self.end.is_some() {
            return self.end.clone();
        }
        let received = tokio::time::timeout(time, self.received.recv()).await.ok()?;
        let received = received.unwrap_or(Received::Closed { code: 1006, reason: String::new() });
        if matches!(received, Received::Closed { .. }) {
            self.end = Some(received.clone());
        }
        Some(received)
    }

    async fn message(&mut self, wanted: &str, at: &'static Location<'static>) -> Received {
        match self.next().await {
            Some(end @ Received::Closed { .. }) => panic!("expected {wanted}\n     got {end}\n  at {at}"),
            Some(message) => message,
            None => panic!("expected {wanted}\n     got nothing for {:?}\n  at {at}", self.times.receive),
        }
    }
}
