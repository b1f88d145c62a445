//! `narrows connect`: a WebSocket client for a terminal, and for scripts.

mod arguments;
mod body;
mod command;
mod ending;
mod error;
mod escape;
mod exit;
mod front;
mod goals;
mod handshake;
mod head;
mod hex;
mod history;
mod interactive;
mod line;
mod refusal;
mod request;
mod script;
mod session;
mod shown;
mod stream;
mod target;
mod terminal;
mod tls;
mod units;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use tokio::select;

pub(crate) use self::arguments::Connect;
use self::ending::Ending;
use self::exit::Exit;
use self::front::Front;
use self::handshake::Opened;
use self::interactive::Interactive;
use self::script::Script;
use self::session::Session;
use crate::signals::Signals;

impl Connect {
    /// Connects and stays until the end; the exit code tells how that was.
    pub(crate) fn run(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let exit = match runtime {
            Ok(runtime) => {
                let exit = runtime.block_on(self.connect());
                // A name that is still being looked up is not waited for.
                runtime.shutdown_background();
                exit
            }
            Err(error) => local(&error),
        };
        exit.into()
    }

    async fn connect(&self) -> Exit {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return local(&error),
        };
        let opened = select! {
            opened = handshake::connect(self) => opened,
            () = signals.next() => {
                say("interrupted before there was a connection");
                return Exit::NotConnected;
            }
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                say(&error.to_string());
                if let Some(hint) = error.hint() {
                    tell(&format!("hint: {hint}"));
                }
                return error.exit();
            }
        };
        if self.verbose {
            tell(&headers(&opened));
        }
        if is_for_a_person() {
            match Interactive::new(self) {
                Ok(front) => self.talk(opened, front, signals).await,
                Err(error) => local(&error),
            }
        } else {
            match Script::new(self) {
                Ok(front) => self.talk(opened, front, signals).await,
                Err(error) => local(&error),
            }
        }
    }

    async fn talk(&self, opened: Opened, mut front: impl Front, signals: Signals) -> Exit {
        let chosen = opened.head.value("sec-websocket-protocol").filter(|name| !name.is_empty());
        let chosen = chosen.map(|name| format!(", subprotocol {name}")).unwrap_or_default();
        front.notice(&format!("connected to {}{chosen}", handshake::name(self)));
        let ending = Session::new(opened.socket, &mut front, self).run(signals).await;
        let exit = ending.exit();
        match &ending {
            // An end as wanted is no error.
            Ending::Closed { .. } if exit == Exit::AsWanted => front.notice(&ending.to_string()),
            _ => {
                drop(front);
                say(&ending.to_string());
            }
        }
        exit
    }
}

/// Whether there is a terminal on both sides, and one that can move its cursor.
fn is_for_a_person() -> bool {
    let can_move = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && can_move
}

fn headers(opened: &Opened) -> String {
    let head = &opened.head;
    let lines = head.headers.iter().map(|(name, value)| format!("< {name}: {}", escape::one_line(value)));
    let status = format!("< {} {}", head.status, escape::one_line(&head.reason));
    std::iter::once(status).chain(lines).collect::<Vec<_>>().join("\n")
}

fn local(error: &io::Error) -> Exit {
    say(&error.to_string());
    Exit::Local
}

fn say(text: &str) {
    tell(&format!("narrows: {text}"));
}

fn tell(text: &str) {
    // There is no better place to say that this place is gone.
    let _ = writeln!(io::stderr(), "{text}");
}
