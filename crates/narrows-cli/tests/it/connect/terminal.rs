//! At a terminal: typing, history, messages that come in between.

use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, WaitOptions, waitpid};

use super::client::connect;
use super::screen::{Home, Screen};
use super::server;
use crate::crooked::{self, CLOSE, PING, PONG, Peer, TEXT};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const LEFT: &str = "\x1b[D";

fn at(path: &str, home: &Home) -> (String, Screen) {
    let url = format!("{}{path}", server::start());
    let screen = Screen::start(&[&url, "-q"], home);
    screen.wait_for(&[">"]);
    (url, screen)
}

#[test]
fn lines_are_sent_and_answers_are_shown() {
    let home = Home::new("lines");
    let (_, mut screen) = at("/ws/", &home);
    screen.press("hello\r");
    screen.wait_for(&["> hello", "< hello", ">"]);
    screen.press("//quit\r");
    screen.wait_for(&["> hello", "< hello", "> //quit", "< /quit", ">"]);
    screen.press("\r   \rbytes\r");
    let shown = ["> hello", "< hello", "> //quit", "< /quit", ">", ">", "> bytes", "< [3 bytes] 001bff", ">"];
    screen.wait_for(&shown);
    screen.press("/quit\r");
    assert_eq!(screen.end(), 0);
}

#[test]
fn lines_can_be_edited() {
    let home = Home::new("edit");
    let (_, screen) = at("/ws/", &home);
    screen.press("wörld");
    screen.press(&LEFT.repeat(4));
    screen.press("\x7fW\x01hello ");
    screen.wait_for(&["> hello Wörld"]);
    assert_eq!(screen.cursor(), (0, 8));
    screen.press("\x05!\x1b[1;5D\x0b\x15\x19\r");
    screen.wait_for(&["> hello", "< hello", ">"]);
}

#[test]
fn a_message_that_comes_while_one_types_leaves_the_line_alone() {
    let home = Home::new("between");
    let url = format!("{}/room/a/", crate::server::start());
    let screen = Screen::start(&[&url, "-q"], &home);
    screen.press("this line is longer than forty columns: schöne Grüße aus 東京");
    let (first, second) = ("> this line is longer than forty columns", ": schöne Grüße aus 東京");
    screen.wait_for(&[first, second]);
    // In its first row, where a message would be written into it.
    screen.press("\x01");
    screen.wait("at its start", |screen| screen.cursor_position() == (0, 2));
    connect(&[&url, "--count", "2"], "{\"a\":1}\n{\"a\":2}\n").assert(0, &[]);
    screen.wait_for(&["< {\"a\":1}", "< {\"a\":2}", first, second]);
    assert_eq!(screen.cursor(), (2, 2));
    screen.press("\x0b{\"a\":3}\r");
    screen.wait_for(&["< {\"a\":1}", "< {\"a\":2}", "> {\"a\":3}", "< {\"a\":3}", ">"]);
}

#[test]
fn many_messages_keep_their_order_while_one_types() {
    let home = Home::new("many");
    let (_, screen) = at("/ws/", &home);
    screen.press("many 2000\r");
    for _ in 0..50 {
        screen.press("nothing\r");
    }
    screen.press("end\r");
    screen.wait("answered", |screen| screen.contents().trim_end().ends_with("< end\n>"));
    let expected: Vec<_> = (1..=2000).map(|number| number.to_string()).chain(["end".to_owned()]).collect();
    assert_eq!(screen.messages(), expected);
}

#[test]
fn what_was_typed_can_be_had_again_in_this_session_and_the_next() {
    let home = Home::new("again");
    let (url, mut screen) = at("/ws/", &home);
    screen.press("one\r");
    screen.wait_for(&["> one", "< one", ">"]);
    screen.press("nothing\r secret\r");
    screen.wait_for(&["> one", "< one", "> nothing", ">  secret", "<  secret", ">"]);
    screen.press("draft");
    screen.press(&UP.repeat(3));
    screen.wait_for(&["> one", "< one", "> nothing", ">  secret", "<  secret", "> one"]);
    screen.press(&DOWN.repeat(3));
    screen.wait_for(&["> one", "< one", "> nothing", ">  secret", "<  secret", "> draft"]);
    screen.press("\x15\x04");
    assert_eq!(screen.end(), 0);
    let file = std::fs::metadata(home.history()).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(home.history()).unwrap(), "one\nnothing\n");

    let screen = Screen::start(&[&url, "-q"], &home);
    screen.wait_for(&[">"]);
    screen.press(&UP.repeat(2));
    screen.press("!\r");
    screen.wait_for(&["> one!", "< one!", ">"]);
}

#[test]
fn no_history_keeps_nothing() {
    let home = Home::new("none");
    let url = format!("{}/ws/", server::start());
    let mut screen = Screen::start(&[&url, "-q", "--no-history"], &home);
    screen.press("one\r");
    screen.wait_for(&["> one", "< one", ">"]);
    screen.press("\x04");
    assert_eq!(screen.end(), 0);
    assert!(!home.history().exists());
}

#[test]
fn what_is_pasted_is_one_message() {
    let home = Home::new("paste");
    let url = format!("{}/ws/", server::start());
    let screen = Screen::start(&[&url, "-q", "--json-lines"], &home);
    screen.wait_for(&[">"]);
    screen.press("\x1b[200~{\r\n 1}\x1b[201~\r");
    screen.wait_for(&["> {⏎ 1}", r#"{"data":"{\n 1}","type":"text"}"#, ">"]);
}

#[test]
fn control_d_and_control_c_close_politely() {
    for keys in ["\x04", "abc\x03\x03", "/quit\r", "/close\r"] {
        let (tell, told) = std::sync::mpsc::channel();
        let url = crooked::start(move |stream| {
            let Some(mut peer) = Peer::accept(stream) else { return };
            let (opcode, payload) = peer.read().unwrap();
            // What comes before the answer is still shown.
            peer.send(TEXT, b"last words");
            peer.send(opcode, &payload);
            tell.send((opcode, payload)).unwrap();
        });
        let home = Home::new(&format!("close-{}", keys.len()));
        let mut screen = Screen::start(&[&url], &home);
        screen.press(keys);
        assert_eq!(told.recv().unwrap(), (CLOSE, 1000_u16.to_be_bytes().to_vec()));
        assert_eq!(screen.end(), 0);
        screen.wait("told", |screen| screen.contents().contains("< last words\nclosed: 1000"));
    }
}

#[test]
fn control_c_gives_a_line_up_and_control_d_deletes_in_it() {
    let home = Home::new("give-up");
    let (_, screen) = at("/ws/", &home);
    screen.press("abc\x03def\x01\x04\r");
    screen.wait_for(&["> abc", "> ef", "< ef", ">"]);
}

#[test]
fn close_has_a_code_and_a_reason() {
    let (tell, told) = std::sync::mpsc::channel();
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        let (opcode, payload) = peer.read().unwrap();
        peer.send(opcode, &payload);
        tell.send(payload).unwrap();
    });
    let home = Home::new("code");
    let mut screen = Screen::start(&[&url, "-q"], &home);
    screen.press("/close 1005\r/close 4000 good bye\r");
    assert_eq!(told.recv().unwrap(), b"\x0f\xa0good bye");
    assert_eq!(screen.end(), 0);
    screen.wait("told", |screen| screen.contents().contains("1005 cannot be sent"));
}

#[test]
fn control_c_does_not_wait_for_the_answer_to_a_close() {
    let (tell, told) = std::sync::mpsc::channel();
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        while let Some((opcode, _)) = peer.read() {
            tell.send(opcode).unwrap();
        }
    });
    let home = Home::new("impatient");
    let mut screen = Screen::start(&[&url, "--close-timeout", "1h"], &home);
    screen.press("\x04");
    assert_eq!(told.recv().unwrap(), CLOSE);
    screen.press("\x03");
    assert_eq!(screen.end(), 5);
}

#[test]
fn a_ping_says_how_long_its_answer_took() {
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        while let Some((opcode, payload)) = peer.read() {
            peer.send(if opcode == PING { PONG } else { opcode }, &payload);
        }
    });
    let home = Home::new("ping");
    let screen = Screen::start(&[&url], &home);
    screen.press("/ping hey\r");
    screen.wait("answered", |screen| {
        let text = screen.contents();
        text.contains("\npong hey, after ") && text.contains(" ms\n>")
    });
    screen.press("/nonsense\r");
    screen.wait("explained", |screen| screen.contents().contains("/nonsense is no command"));
    screen.press("/help\r");
    screen.wait("helped", |screen| screen.contents().contains("send a ping"));
}

#[test]
fn the_server_cannot_command_the_terminal() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let told = std::sync::Arc::new(std::sync::Mutex::new(told));
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(TEXT, "a\x1b[2J\u{9b}31mb\n> c\r\x07".as_bytes());
        told.lock().unwrap().recv().unwrap();
        peer.send(CLOSE, b"\x0f\xa1by\x1b[2Je");
        peer.read();
    });
    let home = Home::new("inject");
    let mut screen = Screen::start(&[&url, "-q"], &home);
    screen.wait_for(&[r"< a\u001b[2J\u009b31mb", r"> c\u000d\u0007", ">"]);
    tell.send(()).unwrap();
    assert_eq!(screen.end(), 4);
    screen.wait("told", |screen| screen.contents().replace('\n', "").contains(r"4001 (by\u001b[2Je)"));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let home = Home::new("colours");
    let (_, screen) = at("/ws/", &home);
    screen.press("x\r");
    screen.wait_for(&["> x", "< x", ">"]);
    screen.wait("coloured", |screen| screen.cell(1, 0).unwrap().fgcolor() == vt100::Color::Idx(6));
}

#[test]
fn a_smaller_terminal_shows_the_line_anew() {
    let home = Home::new("resize");
    let (_, screen) = at("/ws/", &home);
    screen.press("0123456789");
    screen.wait_for(&["> 0123456789"]);
    screen.resize(20, 12);
    screen.press("abcdefghij");
    screen.wait_for(&["> 0123456789abcdefgh", "ij"]);
    screen.press("\r");
    screen.wait_for(&["> 0123456789abcdefgh", "ij", "< 0123456789abcdefgh", "ij", ">"]);
}

#[test]
fn control_z_gives_the_terminal_back_for_a_while() {
    let home = Home::new("suspend");
    let (_, mut screen) = at("/ws/", &home);
    screen.press("ab\x1a");
    let id = Pid::from_raw(i32::try_from(screen.id()).unwrap());
    let (_, status) = waitpid(id, WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped() && screen.echoes());
    screen.wait_for(&[]);
    screen.signal("CONT");
    screen.wait_for(&["> ab"]);
    screen.press("c\r");
    screen.wait_for(&["> abc", "< abc", ">"]);
    assert!(!screen.echoes());
    screen.press("\x04");
    assert_eq!(screen.end(), 0);
}

#[test]
fn a_signal_closes_and_gives_the_terminal_back() {
    let home = Home::new("signal");
    let (_, mut screen) = at("/ws/", &home);
    screen.press("abc");
    screen.wait_for(&["> abc"]);
    screen.signal("TERM");
    assert_eq!(screen.end(), 0);
    screen.wait_for(&[]);
}
