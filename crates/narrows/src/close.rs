use std::error::Error;
use std::fmt;

/// How a handler ends its connection: a close code and a reason for the client.
///
/// ```
/// use narrows::Close;
///
/// fn check(text: &str) -> Result<(), Close> {
///     if text == "exit" {
///         return Err(Close::with(4000, "you said exit"));
///     }
///     let _number: u32 = text.parse()?; // any error: code 1011, logged
///     Ok(())
/// }
/// assert_eq!(check("exit").unwrap_err().code(), 4000);
/// assert_eq!(check("x").unwrap_err().code(), 1011);
/// ```
///
/// The codes that Narrows itself uses:
///
/// | code | when |
/// |---|---|
/// | 1000 | [`Close::normal`], idle time over |
/// | 1002, 1007, 1009 | the client broke RFC 6455, sent invalid text, sent too much |
/// | 1011 | a handler failed or panicked |
/// | 1012 | the server drains; come back after a short random wait |
/// | 1013 | the client reads too slowly |
/// | 4401 | the [session](crate::Identity) ended; log in before coming back |
/// | 4403 | somebody [ended](crate::live::Live::end) the connection; stay away |
/// | 4409 | the client has come back, and goes on in another connection |
pub struct Close {
    code: u16,
    reason: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Close {
    /// Ends with code 1000 and no reason.
    pub fn normal() -> Self {
        Self::with(1000, "")
    }

    /// Ends with this code and reason.
    ///
    /// An application may use 1000, 1001, 1003, 1007–1014 and 3000–4999; any other code is not one that RFC
    /// 6455 (section 7.4) lets an endpoint send, and 1011 is sent in its place. A reason longer than
    /// 123 bytes is cut, as that is what a close frame holds.
    pub fn with(code: u16, reason: impl Into<String>) -> Self {
        let code = if matches!(code, 1000 | 1001 | 1003 | 1007..=1014 | 3000..=4999) { code } else { 1011 };
        Self { code, reason: reason.into(), source: None }
    }

    /// Ends with code 1007: the message was not what it should be.
    pub fn malformed(error: &crate::codec::DecodeError) -> Self {
        Self::with(1007, error.to_string())
    }

    /// The close code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The reason as the client will see it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The error behind it, if it came from one.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    pub(crate) fn into_reason(self) -> String {
        self.reason
    }
}

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Close");
        d.field("code", &self.code).field("reason", &self.reason);
        if let Some(source) = &self.source {
            d.field("source", source);
        }
        d.finish()
    }
}

/// `?` on any error ends the connection with 1011; the text stays in the log and out of the client's sight.
impl<E: Error + Send + Sync + 'static> From<E> for Close {
    fn from(error: E) -> Self {
        Self { code: 1011, reason: "internal error".into(), source: Some(Box::new(error)) }
    }
}

/// How a connection ended, as [`Consumer::disconnect`](crate::Consumer::disconnect) is told, exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disconnect {
    /// The close code: the client's, ours, 1005 when the client gave none, 1006 when there was no close frame.
    pub code: u16,
    /// The reason that came with the code.
    pub reason: String,
    /// What brought it about.
    pub cause: Cause,
}

impl Disconnect {
    pub(crate) fn new(code: u16, reason: impl Into<String>, cause: Cause) -> Self {
        Self { code, reason: reason.into(), cause }
    }
}

/// What brought a connection to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The client sent a close frame.
    Client,
    /// TCP ended or failed without a close frame (1006).
    Lost,
    /// A ping was not answered in time (1006).
    PingTimeout,
    /// A handler returned [`Close`].
    Closed,
    /// A handler returned an error (1011).
    Failed,
    /// A handler panicked (1011).
    Panicked,
    /// The client did not read fast enough (1013).
    Slow,
    /// The client broke the protocol or a limit (1002, 1007, 1009).
    Protocol,
    /// The client said nothing for the idle time (1000).
    Idle,
    /// The server drains (1012).
    Drain,
    /// Its client came back while this connection was not yet found to be dead, and [goes on](crate::Resume) in
    /// another one, here or on another node (4409). It is no leave: do not say goodbye.
    Resumed,
    /// Its [identity](crate::Identity) ended: the session, the user's log-in, or its time (4401).
    SessionEnded,
    /// Somebody ended it by its id: [`Live::end`](crate::live::Live::end) (4403).
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_may_not_be_sent_becomes_1011() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, u16::MAX] {
            assert_eq!(Close::with(code, "x").code(), 1011, "{code}");
        }
        for code in [1000, 1012, 1013, 3000, 4401, 4999] {
            assert_eq!(Close::with(code, "x").code(), code);
        }
    }

    #[test]
    fn an_error_text_is_not_shown_to_the_client() {
        let close = Close::from(std::io::Error::other("password of the database"));
        assert_eq!((close.code(), close.reason()), (1011, "internal error"));
        assert!(close.source().is_some_and(|e| e.to_string().contains("database")));
    }
}
