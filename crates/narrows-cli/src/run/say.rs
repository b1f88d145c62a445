//! What `narrows run` says, beside what cargo and the program do.

use std::fmt;
use std::io::{IsTerminal, stderr};

/// Something goes as it should.
pub(super) fn note(text: impl fmt::Display) {
    say("32", &text);
}

/// Something does not.
pub(super) fn trouble(text: impl fmt::Display) {
    say("31", &text);
}

fn say(color: &str, text: &dyn fmt::Display) {
    if stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()) {
        eprintln!("\x1b[1;{color}mnarrows:\x1b[0m {text}");
    } else {
        eprintln!("narrows: {text}");
    }
}
