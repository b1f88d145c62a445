use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::front::Input;
use super::hex;

pub(super) const HELP: &str = "\
/close [CODE] [REASON]  close, with 1000 if no code is given
/ping [TEXT]            send a ping and say how long the answer took
/binary HEX             send a binary message
/quit                   close with 1000, as Ctrl-D and Ctrl-C on an empty line do
//TEXT                  send /TEXT
Arrows up and down walk through earlier lines; a line that begins with a space is not kept for later sessions.";

/// The most that a control frame holds (RFC 6455, 5.5), and a close frame after its code.
const MAX_CONTROL_BYTES: usize = 125;
const MAX_REASON_BYTES: usize = MAX_CONTROL_BYTES - 2;

/// What a line at the prompt means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Nothing,
    Help,
    Input(Input),
}

impl Command {
    pub(super) fn parse(line: &str, is_binary: bool) -> Result<Self, String> {
        if line.trim().is_empty() {
            return Ok(Self::Nothing);
        }
        let input = match line.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => message(rest, is_binary)?,
            Some(rest) => {
                let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                match name {
                    "help" => return Ok(Self::Help),
                    "close" => Input::Close(close(rest.trim())?),
                    "ping" => Input::Send(ping(rest.trim())?),
                    "binary" => message(rest, true)?,
                    "quit" => Input::Leave,
                    _ => return Err(format!("/{name} is no command: /help lists them, //{name} sends it")),
                }
            }
            None => message(line, is_binary)?,
        };
        Ok(Self::Input(input))
    }
}

fn message(text: &str, is_binary: bool) -> Result<Input, String> {
    let message = if is_binary { Message::binary(hex::decode(text)?) } else { Message::text(text) };
    Ok(Input::Send(message))
}

fn ping(text: &str) -> Result<Message, String> {
    if text.len() > MAX_CONTROL_BYTES {
        return Err(format!("a ping holds at most {MAX_CONTROL_BYTES} bytes"));
    }
    Ok(Message::Ping(text.as_bytes().to_vec().into()))
}

fn close(text: &str) -> Result<Option<CloseFrame>, String> {
    let (code, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let code = match code {
        "" => 1000,
        code => code.parse().map_err(|_| format!("`{code}` is no close code: /close 1000 reason"))?,
    };
    // What a client may send (RFC 6455, 7.4, and the registry of IANA).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(format!("{code} cannot be sent: 1000 to 1003, 1007 to 1014 and 3000 to 4999 can"));
    }
    let reason = reason.trim_start();
    if reason.len() > MAX_REASON_BYTES {
        return Err(format!("a reason holds at most {MAX_REASON_BYTES} bytes"));
    }
    Ok(Some(CloseFrame { code: code.into(), reason: reason.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(line: &str) -> Input {
        match Command::parse(line, false) {
            Ok(Command::Input(input)) => input,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_is_a_message_or_a_command() {
        assert_eq!(input("hello /close"), Input::Send(Message::text("hello /close")));
        assert_eq!(input("//close it"), Input::Send(Message::text("/close it")));
        assert_eq!(input(" /x"), Input::Send(Message::text(" /x")));
        assert_eq!(input("/binary 01 ff"), Input::Send(Message::binary(vec![1, 255])));
        assert_eq!(input("/ping a b"), Input::Send(Message::Ping("a b".into())));
        assert_eq!(input("/quit"), Input::Leave);
        assert_eq!(Command::parse("/help", false), Ok(Command::Help));
        assert_eq!(Command::parse("  ", false), Ok(Command::Nothing));
        let binary = Command::parse("0a", true);
        assert_eq!(binary, Ok(Command::Input(Input::Send(Message::binary(vec![10])))));
    }

    #[test]
    fn a_close_has_a_code_and_a_reason() {
        let close = |code: u16, reason: &str| {
            Input::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
        };
        assert_eq!(input("/close"), close(1000, ""));
        assert_eq!(input("/close 4001  good bye "), close(4001, "good bye"));
    }

    #[test]
    fn what_cannot_be_sent_is_explained() {
        let long = "x".repeat(126);
        for (line, why) in [
            ("/closed", "/help lists them"),
            ("/close bye", "`bye` is no close code"),
            ("/close 1005", "cannot be sent"),
            ("/close 999", "cannot be sent"),
            ("/close 5000", "cannot be sent"),
            ("/close 99999", "no close code"),
            ("/binary 0", "only one"),
            (&format!("/ping {long}"), "125"),
            (&format!("/close 1000 {long}"), "123"),
        ] {
            let said = Command::parse(line, false).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
