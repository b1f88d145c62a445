use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::client::command;

const PATIENCE: Duration = Duration::from_secs(30);

/// A command at a terminal, with what is on its screen.
pub(crate) struct Screen {
    child: Child,
    keyboard: File,
    shown: Arc<Shown>,
}

struct Shown {
    parser: Mutex<vt100::Parser>,
    /// All that was written.
    bytes: Mutex<Vec<u8>>,
    changed: Condvar,
}

impl Screen {
    /// A terminal of 40 columns and 12 rows, once there is a prompt: what is typed before is for the shell.
    pub(crate) fn start(arguments: &[&str], home: &Home) -> Self {
        let screen = Self::start_with(arguments, home, "xterm");
        screen.wait("a prompt", |screen| screen.contents().trim_end().ends_with('>'));
        screen
    }

    /// The same for a terminal of this kind, and without waiting.
    pub(crate) fn start_with(arguments: &[&str], home: &Home, kind: &str) -> Self {
        let mut command = command(arguments);
        command.env("XDG_STATE_HOME", &home.0).env("TERM", kind).env_remove("NO_COLOR");
        Self::run(command)
    }

    /// Any command at such a terminal.
    pub(crate) fn run(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        resize(&master, 40, 12);
        let name = ptsname(&master, Vec::new()).unwrap();
        let name = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let slave = File::options().read(true).write(true).open(name).unwrap();
        command.process_group(0);
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let child = command.spawn().unwrap();
        let shown = Arc::new(Shown {
            parser: Mutex::new(vt100::Parser::new(12, 40, 0)),
            bytes: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut screen = File::from(master.try_clone().unwrap());
        let painted = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Linux says EIO when the other side is closed.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                painted.bytes.lock().unwrap().extend(&bytes[..length]);
                painted.parser.lock().unwrap().process(&bytes[..length]);
                painted.changed.notify_all();
            }
        });
        Self { child, keyboard: File::from(master), shown }
    }

    pub(crate) fn press(&self, keys: &str) {
        (&self.keyboard).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen holds these rows and no others, but for empty ones and spaces at their ends.
    #[track_caller]
    pub(crate) fn wait_for(&self, expected: &[&str]) {
        self.wait(&format!("{expected:#?}"), |screen| rows(screen) == expected);
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut parser = self.shown.parser.lock().unwrap();
        while !is_so(parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not {what} but {:#?}", rows(parser.screen()));
            parser = self.shown.changed.wait_timeout(parser, left).unwrap().0;
        }
    }

    /// All messages that were shown, in their order, those above the screen too.
    pub(crate) fn messages(&self) -> Vec<String> {
        let text = String::from_utf8(self.shown.bytes.lock().unwrap().clone()).unwrap();
        let messages = text.split("\x1b[36m< \x1b[0m").skip(1);
        messages.map(|rest| rest.split('\r').next().unwrap().to_owned()).collect()
    }

    /// All that was written, the escape sequences too.
    pub(crate) fn written(&self) -> String {
        String::from_utf8(self.shown.bytes.lock().unwrap().clone()).unwrap()
    }

    /// Row and column of the cursor, from 0.
    pub(crate) fn cursor(&self) -> (u16, u16) {
        self.shown.parser.lock().unwrap().screen().cursor_position()
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.shown.parser.lock().unwrap().screen_mut().set_size(rows, columns);
        resize(&self.keyboard, columns, rows);
        self.signal("WINCH");
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success()
        );
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the terminal itself shows what is typed, as it does for a shell's commands.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Waits for the end: the exit code. The terminal must be as it was.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        let code = self.child.wait().unwrap().code().unwrap();
        assert!(self.echoes());
        code
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rows(screen: &vt100::Screen) -> Vec<String> {
    let (_, columns) = screen.size();
    let mut rows: Vec<_> = screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

fn resize(terminal: &impl std::os::fd::AsFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

/// Where the history is kept, removed with it.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("narrows-home-{test}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.0.join("narrows/connect_history")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
