use std::io;

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Who sits at this end of the connection: a person at a terminal, or a script.
pub(super) trait Front {
    /// How many messages may wait to be sent before no more are taken.
    const AHEAD: usize;

    /// Whether there may be input after the close was asked for.
    const IS_INTERACTIVE: bool;

    /// The next input. After [`Input::End`] it is not called again.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    async fn next(&mut self) -> Input;

    /// Shows what the server sent.
    ///
    /// # Errors
    ///
    /// Nobody reads the output, or it cannot be written.
    fn show(&mut self, message: &Message) -> io::Result<()>;

    /// Tells something about the connection, unless it is to be quiet.
    fn notice(&mut self, text: &str);
}

/// What comes from this end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A text or binary message, or a ping.
    Send(Message),
    /// Close with this.
    Close(Option<CloseFrame>),
    /// There is no more.
    End,
    /// The user wants to go, and now if the close was asked for before.
    Leave,
    /// A line that cannot be sent.
    Wrong(String),
}
