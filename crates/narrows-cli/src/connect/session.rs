use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream, StreamExt};
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::arguments::Connect;
use super::ending::Ending;
use super::front::{Front, Input};
use super::goals::Goals;
use super::handshake::WebSocket;
use super::shown;
use crate::signals::Signals;

/// How long the end of TCP may take after the closing handshake; nothing depends on it.
const FAREWELL_TIME: Duration = Duration::from_secs(1);

/// Messages that are read before there may be more input: who sends much reads more, or counts as a slow consumer.
const READS_FIRST: usize = 64;

const WITHOUT_CLOSE: &str = "the server ended it without a close";

/// One connection from its handshake to its end.
pub(super) struct Session<'a, F> {
    socket: WebSocket,
    front: &'a mut F,
    options: &'a Connect,
    goals: Goals,
    /// What is to be sent, in this order.
    outgoing: VecDeque<Message>,
    /// A message that is not yet out of the buffers of this process.
    is_sending: bool,
    has_input: bool,
    /// Whether goals were set, and are to be met by then.
    goal_deadline: Option<Instant>,
    /// The end of `--wait`.
    wait_deadline: Option<Instant>,
    next_ping: Option<Instant>,
    /// Whether nothing came since the last ping.
    is_ping_out: bool,
    closing: Option<Closing>,
    /// Messages that were read since the last input or sending.
    in_a_row: usize,
}

/// The end is near.
struct Closing {
    asked: Asked,
    /// Moves on while the server still sends.
    deadline: Instant,
    /// What it ends for, if that says more than how.
    verdict: Option<Ending>,
    /// Whether what still comes is for nobody.
    is_mute: bool,
}

enum Asked {
    /// We sent a close with this code.
    Close(Option<u16>),
    /// Nothing can be sent any more, for this reason.
    Nothing(String),
}

enum Event {
    Sent(Result<(), Error>),
    Came(Option<Result<Message, Error>>),
    Input(Input),
}

impl<'a, F: Front> Session<'a, F> {
    pub(super) fn new(socket: WebSocket, front: &'a mut F, options: &'a Connect) -> Self {
        let now = Instant::now();
        Self {
            socket,
            front,
            options,
            goals: Goals::new(options.count, &options.expect, &options.expect_json),
            outgoing: VecDeque::new(),
            is_sending: false,
            has_input: true,
            goal_deadline: options.time_limit().map(|limit| now + limit),
            wait_deadline: None,
            next_ping: options.ping_interval.map(|interval| now + interval),
            is_ping_out: false,
            closing: None,
            in_a_row: 0,
        }
    }

    /// Sends and shows until the connection has ended.
    pub(super) async fn run(mut self, mut signals: Signals) -> Ending {
        loop {
            self.send_next();
            let takes_input = self.takes_input();
            let (deadline, next_ping) = (self.deadline(), self.next_ping);
            let ending = select! {
                event = event(&mut self.socket, self.is_sending, self.front, takes_input, self.in_a_row) => {
                    self.in_a_row = if matches!(event, Event::Came(_)) { self.in_a_row + 1 } else { 0 };
                    match event {
                        Event::Sent(result) => self.sent(result),
                        Event::Came(message) => self.came(message).await,
                        Event::Input(input) => self.input(input),
                    }
                }
                () = signals.next() => self.input(Input::Leave),
                () = until(deadline) => self.too_late(),
                () = until(next_ping) => self.ping(),
            };
            if let Some(ending) = ending {
                return self.judged(ending);
            }
        }
    }

    fn takes_input(&self) -> bool {
        self.has_input && self.outgoing.len() < F::AHEAD && (self.closing.is_none() || F::IS_INTERACTIVE)
    }

    /// Hands the library one message when it has none left.
    fn send_next(&mut self) {
        if self.is_sending {
            return;
        }
        let Some(message) = self.outgoing.pop_front() else { return };
        self.is_sending = true;
        if let Err(error) = Pin::new(&mut self.socket).start_send(message) {
            self.cannot_send(&error);
        }
    }

    fn sent(&mut self, result: Result<(), Error>) -> Option<Ending> {
        self.is_sending = false;
        match result {
            Ok(()) => self.put_off(),
            Err(error) => self.cannot_send(&error),
        }
        None
    }

    /// What the server said before the end can still be read, and why it ended.
    fn cannot_send(&mut self, error: &Error) {
        self.is_sending = false;
        self.outgoing.clear();
        if self.closing.is_none() {
            self.begin_close(Asked::Nothing(error.to_string()), None);
        }
    }

    /// A server that still takes or sends something is not late with its answer to our close.
    fn put_off(&mut self) {
        if let Some(closing) = &mut self.closing {
            closing.deadline = Instant::now() + self.options.close_timeout;
        }
    }

    async fn came(&mut self, message: Option<Result<Message, Error>>) -> Option<Ending> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Some(self.failed(error).await),
            None => return Some(self.ended(WITHOUT_CLOSE)),
        };
        self.is_ping_out = false;
        self.put_off();
        if !self.closing.as_ref().is_some_and(|closing| closing.is_mute) {
            self.show(&message);
        }
        if let Message::Close(frame) = message {
            return Some(self.closed(frame.as_ref()).await);
        }
        None
    }

    fn show(&mut self, message: &Message) {
        let had_goals = !self.goals.are_met();
        self.goals.note(message);
        if let Err(error) = self.front.show(message) {
            // A reader that has seen enough, such as `head`, is no failure.
            let verdict = (error.kind() != io::ErrorKind::BrokenPipe).then_some(Ending::Output(error));
            self.close(Some(normal()), None);
            self.mute(verdict);
        }
        if had_goals && self.goals.are_met() {
            self.close(Some(normal()), None);
            self.mute(None);
        }
    }

    /// Shows no more, as the end has been asked for.
    fn mute(&mut self, verdict: Option<Ending>) {
        if let Some(closing) = &mut self.closing {
            closing.is_mute = true;
            closing.verdict = closing.verdict.take().or(verdict);
        }
    }

    /// The server's close frame: the library answers it, and reads on until the end of TCP.
    async fn closed(&mut self, frame: Option<&CloseFrame>) -> Ending {
        // The server may leave it to us to end TCP, or not; both is well.
        let _ = timeout(FAREWELL_TIME, async { while self.socket.next().await.is_some() {} }).await;
        let (code, reason) = shown::code_and_reason(frame);
        let asked = match self.closing.as_ref().map(|closing| &closing.asked) {
            Some(Asked::Close(code)) => Some(*code),
            _ => None,
        };
        Ending::Closed { code, reason: reason.to_owned(), asked }
    }

    /// The end of TCP without a close from the server.
    fn ended(&self, why: &str) -> Ending {
        match self.closing.as_ref().map(|closing| &closing.asked) {
            Some(Asked::Close(_)) => Ending::Unanswered { within: None },
            Some(Asked::Nothing(why)) => Ending::Lost(why.clone()),
            None => Ending::Lost(why.to_owned()),
        }
    }

    async fn failed(&mut self, error: Error) -> Ending {
        let (code, why) = match error {
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
            | Error::ConnectionClosed
            | Error::AlreadyClosed => return self.ended(WITHOUT_CLOSE),
            Error::Io(error) => return self.ended(&error.to_string()),
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                let why = format!("a message of {size} bytes came, --max-message-bytes is {max_size}");
                (CloseCode::Size, why)
            }
            Error::Utf8(_) => (CloseCode::Invalid, "the server sent text that is no UTF-8".to_owned()),
            other => (CloseCode::Protocol, format!("the server broke the protocol: {other}")),
        };
        // What is wrong with the server is told to it, if it listens; the connection is over either way.
        let _ = timeout(FAREWELL_TIME, self.socket.close(Some(CloseFrame { code, reason: "".into() }))).await;
        Ending::Broken(why)
    }

    fn input(&mut self, input: Input) -> Option<Ending> {
        match input {
            Input::Send(message) => self.outgoing.push_back(message),
            Input::Close(frame) => self.close(frame, None),
            Input::Leave if self.closing.is_some() => return Some(Ending::Unanswered { within: None }),
            Input::Leave => self.close(Some(normal()), None),
            Input::Wrong(why) => self.close(Some(normal()), Some(Ending::Wrong(why))),
            Input::End => {
                self.has_input = false;
                if let Some(wait) = self.options.wait {
                    self.wait_deadline = Some(Instant::now() + wait);
                } else if !self.options.stay && self.goals.are_met() {
                    self.close(Some(normal()), None);
                }
            }
        }
        None
    }

    /// Asks for the end, after all that is to be sent; only the first to ask does.
    fn close(&mut self, frame: Option<CloseFrame>, verdict: Option<Ending>) {
        if self.closing.is_some() {
            return;
        }
        self.begin_close(Asked::Close(shown::code_and_reason(frame.as_ref()).0), verdict);
        self.outgoing.push_back(Message::Close(frame));
    }

    fn begin_close(&mut self, asked: Asked, verdict: Option<Ending>) {
        let deadline = Instant::now() + self.options.close_timeout;
        self.closing = Some(Closing { asked, deadline, verdict, is_mute: false });
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.closing {
            Some(closing) => Some(closing.deadline),
            None => self.goal_deadline.into_iter().chain(self.wait_deadline).min(),
        }
    }

    fn too_late(&mut self) -> Option<Ending> {
        if let Some(closing) = &self.closing {
            return Some(match &closing.asked {
                Asked::Close(_) => Ending::Unanswered { within: Some(self.options.close_timeout) },
                Asked::Nothing(why) => Ending::Lost(why.clone()),
            });
        }
        let is_over = self.goal_deadline.is_some_and(|deadline| deadline <= Instant::now());
        let limit = self.options.time_limit().filter(|_| is_over);
        let verdict = limit.map(|limit| Ending::NotMet(format!("{} within {limit:?}", self.goals.missing())));
        self.close(Some(normal()), verdict);
        None
    }

    fn ping(&mut self) -> Option<Ending> {
        let interval = self.options.ping_interval?;
        if self.is_ping_out {
            return Some(Ending::Silent(interval));
        }
        self.next_ping = self.closing.is_none().then(|| Instant::now() + interval);
        if self.closing.is_none() {
            self.is_ping_out = true;
            self.outgoing.push_back(Message::Ping(Vec::new().into()));
        }
        None
    }

    /// A verdict says more than the end that followed it, and goals that were not met more than a good end.
    fn judged(self, ending: Ending) -> Ending {
        if let Some(verdict) = self.closing.and_then(|closing| closing.verdict) {
            return verdict;
        }
        let is_good = ending.exit() == super::exit::Exit::AsWanted;
        if is_good && !self.goals.are_met() {
            return Ending::NotMet(format!("{}; {ending}", self.goals.missing()));
        }
        ending
    }
}

fn normal() -> CloseFrame {
    CloseFrame { code: CloseCode::Normal, reason: "".into() }
}

/// Sends on and reads at once: a server that does not read until it is read is not waited for forever.
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped, as with its parts.
async fn event<F: Front>(
    socket: &mut WebSocket,
    is_sending: bool,
    front: &mut F,
    takes_input: bool,
    in_a_row: usize,
) -> Event {
    let mut input = pin!(front.next());
    let mut input = |context: &mut Context<'_>| match takes_input {
        true => input.as_mut().poll(context).map(Event::Input),
        false => Poll::Pending,
    };
    poll_fn(|context| {
        if in_a_row >= READS_FIRST
            && let Poll::Ready(event) = input(context)
        {
            return Poll::Ready(event);
        }
        match poll_socket(Pin::new(&mut *socket), is_sending, context) {
            Poll::Pending if in_a_row < READS_FIRST => input(context),
            event => event,
        }
    })
    .await
}

fn poll_socket(mut socket: Pin<&mut WebSocket>, is_sending: bool, context: &mut Context<'_>) -> Poll<Event> {
    if is_sending && let Poll::Ready(result) = socket.as_mut().poll_flush(context) {
        return Poll::Ready(Event::Sent(result));
    }
    socket.poll_next(context).map(Event::Came)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
