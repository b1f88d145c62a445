use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What `narrows connect` did.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) said: String,
}

impl Done {
    /// Asserts on the exit code and on what was said, of which each part must be there.
    #[track_caller]
    pub(super) fn assert(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in said {
            assert!(self.said.contains(part), "no {part:?} in {self:?}");
        }
        assert!(!self.said.contains("panicked"), "{self:?}");
    }

    /// Asserts that all went well and without a word, with this output.
    #[track_caller]
    pub(super) fn assert_out(&self, out: &str) {
        assert_eq!((self.code, self.out.as_str(), self.said.as_str()), (0, out, ""), "{self:?}");
    }
}

pub(super) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.arg("connect").args(arguments);
    command
}

/// Runs it with this as its standard input.
pub(super) fn connect(arguments: &[&str], input: &str) -> Done {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // It may end before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let done = done(child.wait_with_output().unwrap());
    writer.join().unwrap();
    done
}

pub(super) fn done(output: Output) -> Done {
    Done {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}
