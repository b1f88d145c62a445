use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::Event;
use super::sockets::Sockets;

/// A running program of the project. Its end is an [`Event::Ended`].
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// What it is told by. Its end tells the program to end.
    stdin: Option<ChildStdin>,
}

/// Where descriptors that are handed over begin: `SD_LISTEN_FDS_START` of sd_listen_fds(3).
const FIRST_DESCRIPTOR: i32 = 3;

impl Process {
    /// Starts the program with the sockets to listen on.
    pub(super) fn start(mut command: Command, sockets: &Sockets, events: &Sender<Event>) -> io::Result<Self> {
        let mappings = sockets.handed_over()?.into_iter().zip(FIRST_DESCRIPTOR..);
        let mappings: Vec<_> =
            mappings.map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd }).collect();
        command.env("LISTEN_FDS", mappings.len().to_string());
        command.fd_mappings(mappings).expect("each has a number of its own");
        // Ctrl-C is for us: we tell it when to end.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let (pid, events) = (Pid::from_child(&child), events.clone());
        thread::spawn(move || {
            // It is not reaped here: until it is, no other process has its number.
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            {}
            // Nobody waits for it when everything ends.
            let _ = events.send(Event::Ended(pid));
        });
        Ok(Self { child, stdin })
    }

    pub(super) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Tells it that its pages are to load again.
    pub(super) fn reload_pages(&mut self) {
        if let Some(stdin) = &mut self.stdin {
            // One that is ending does not listen any more.
            let _ = stdin.write_all(b"reload\n");
        }
    }

    /// Tells it to end, once its clients are told.
    pub(super) fn end(&mut self) {
        self.stdin = None;
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        // It may have ended meanwhile; its number is its own until `status`.
        let _ = kill_process(self.id(), Signal::KILL);
    }

    /// How it has ended.
    pub(super) fn status(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

/// The program with a command, in the project's folder, as it runs in development and as `cargo run` runs it.
pub(super) fn program(path: &Path, root: &Path) -> Command {
    let mut command = Command::new(path);
    command.current_dir(root).env("NARROWS_DEV", "1").env("CARGO_MANIFEST_DIR", root);
    // Of somebody who started us.
    command.env_remove("LISTEN_PID").env_remove("LISTEN_FDS").env_remove("LISTEN_FDNAMES");
    command
}
