use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use tempfile::TempDir;

use super::{PASSWORD, Running, USER, folder, name_in, need, owner, run, shared};
use crate::ports;
use crate::process::Process;
use crate::server::on_free_ports;
use crate::wait::wait_until;

/// A real PostgreSQL, alone on a free port of 127.0.0.1, in a temporary folder; ended when this is dropped.
///
/// It loses nothing by [`kill`](Self::kill), but does not wait for the disk.
///
/// ```
/// let Some(postgres) = rig::Postgres::start() else { return };
/// let url = postgres.fresh_database();
/// postgres.sql(&url, "CREATE TABLE things (name text); INSERT INTO things VALUES ('a')");
/// assert_eq!(postgres.sql(&url, "SELECT count(*) FROM things"), "1");
/// ```
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    psql: PathBuf,
    databases: AtomicU32,
    // Before its folder, so that it is gone when the folder goes.
    process: Process,
    _folder: TempDir,
}

impl Postgres {
    /// Starts one; `None` where there is none.
    ///
    /// # Panics
    ///
    /// When it does not start, with its last lines; when it is missing and [`programs::required`].
    #[must_use]
    pub fn start() -> Option<Self> {
        let programs = need(["initdb", "postgres", "psql"], &folders())?;
        Some(on_free_ports(|| {
            let this = Self::on(ports::free(), &programs);
            this.launch().then_some(this)
        }))
    }

    /// The one that others of this process have, or a new one for them too: to make one takes seconds. It ends with the last
    /// who has it. For tests that need a database of their own, and leave the server as it is; `None` where there is none.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn shared() -> Option<Arc<Self>> {
        static RUNNING: Running<Postgres> = Running::new(Weak::new());
        shared(&RUNNING, Self::start)
    }

    /// How clients reach it, and a database that is there from the start, with the password of a superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.url(), &format!("CREATE DATABASE {name}"));
        self.url_of(&name)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL in the database of this URL: a line for each row, `|` between its fields.
    ///
    /// # Panics
    ///
    /// When it is refused, or the server is away.
    pub fn sql(&self, url: &str, text: &str) -> String {
        self.psql(name_in(url), text).unwrap_or_else(|error| panic!("{text}: {error}{}", self.process.log()))
    }

    /// Ends it as a crash does (SIGKILL). Nothing when it does not run.
    pub fn kill(&self) {
        self.process.end("KILL");
    }

    /// Ends it at once but in order, its clients cut off (SIGINT). Nothing when it does not run.
    pub fn stop(&self) {
        self.process.end("INT");
    }

    /// Starts it again, on the same port and with all data, after [`kill`](Self::kill) or [`stop`](Self::stop) or
    /// without.
    ///
    /// # Panics
    ///
    /// When it does not start, with its last lines.
    pub fn restart(&self) {
        self.stop();
        wait_until("the port of a PostgreSQL that was stopped", || self.launch());
    }

    /// Ends the connections of all clients; gives how many there were.
    pub fn cut_off_clients(&self) -> usize {
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
        self.sql(&self.url(), all).lines().count()
    }

    /// How many statements that contain this were run in the database of this URL since
    /// [`count_anew`](Self::count_anew), each run counted.
    ///
    /// Numbers and texts in a statement do not count: PostgreSQL keeps `$1` in their place.
    ///
    /// # Panics
    ///
    /// When the server is away.
    #[must_use]
    pub fn statements(&self, url: &str, containing: &str) -> u64 {
        self.sql(&self.url(), "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        let name = name_in(url);
        let count = format!(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
             WHERE datname = '{name}' AND position(lower('{}') IN lower(query)) > 0",
            containing.replace('\'', "''")
        );
        self.sql(&self.url(), &count).parse().expect("a sum is a number")
    }

    /// Forgets what [`statements`](Self::statements) counts.
    pub fn count_anew(&self) {
        let forget = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()";
        self.sql(&self.url(), forget);
    }

    fn on(port: u16, [initdb, postgres, psql]: &[PathBuf; 3]) -> Self {
        let folder = folder();
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap_or_else(|error| panic!("no {}: {error}", password.display()));
        let user = Servant::of(folder.path());
        user.is_given(&[folder.path(), &password]);
        let mut command = user.command(initdb);
        command.arg("-D").arg(&data).args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8"]);
        // Small files of the log: they are most of what has to be written.
        command.args(["--locale=C", "--wal-segsize=1", "-U", USER]).arg("--pwfile").arg(&password);
        run(&mut command).unwrap_or_else(|error| panic!("no cluster: {error}"));
        let settings = [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            &format!("unix_socket_directories={}", folder.path().display()),
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "shared_buffers=16MB",
            "max_connections=200",
            "dynamic_shared_memory_type=mmap",
            "shared_preload_libraries=pg_stat_statements",
            "timezone=UTC",
        ];
        let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
        for setting in settings {
            arguments.extend(["-c".to_owned(), setting.to_owned()]);
        }
        let (program, arguments) = user.line(postgres, arguments);
        // Not the file that it is told to write: it writes none, and its last lines are what it printed.
        let process = Process::new(&program, arguments, folder.path().join("log"));
        Self { port, psql: psql.clone(), databases: AtomicU32::new(1), process, _folder: folder }
    }

    /// Starts the process; false when its port is taken.
    fn launch(&self) -> bool {
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        self.process.start(|| listens() && self.psql("postgres", "SELECT 1").is_ok())
    }

    fn psql(&self, database: &str, text: &str) -> Result<String, String> {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text]);
        run(command.arg(self.url_of(database)).env("PGCONNECT_TIMEOUT", "10"))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, and unlike a SIGKILL it gives its shared memory back.
        self.process.let_go("QUIT");
    }
}

/// Who runs PostgreSQL, which refuses to be run by root: another user of the system in that case.
enum Servant {
    Ourselves,
    Other { name: &'static str },
}

impl Servant {
    /// Whoever cannot own this folder, which this process has made.
    fn of(folder: &Path) -> Self {
        if owner(folder) != 0 {
            return Self::Ourselves;
        }
        let is_there = |name: &&str| run(Command::new("id").arg(name)).is_ok();
        let name = ["postgres", "nobody"].into_iter().find(is_there);
        Self::Other { name: name.expect("each Unix has a user nobody") }
    }

    fn is_given(&self, paths: &[&Path]) {
        let Self::Other { name } = self else { return };
        run(Command::new("chown").arg(name).args(paths))
            .unwrap_or_else(|error| panic!("not given to {name}: {error}"));
    }

    fn command(&self, program: &Path) -> Command {
        let (program, arguments) = self.line(program, Vec::new());
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    fn line(&self, program: &Path, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
        let Self::Other { name } = self else { return (program.to_owned(), arguments) };
        let mut line = vec![format!("--reuid={name}"), "--clear-groups".to_owned(), "--".to_owned()];
        line.push(program.display().to_string());
        line.extend(arguments);
        ("setpriv".into(), line)
    }
}

/// Where Debian keeps the programs of each version, the newest first.
fn folders() -> Vec<PathBuf> {
    let Ok(versions) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let number = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse().ok());
    let mut folders: Vec<PathBuf> = versions.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.sort_by_key(|path| std::cmp::Reverse(number(path).unwrap_or(0_u32)));
    folders.into_iter().map(|path| path.join("bin")).collect()
}
