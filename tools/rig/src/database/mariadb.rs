use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use tempfile::TempDir;

use super::{PASSWORD, Running, USER, folder, look_up, name_in, need, owner, run, shared};
use crate::ports;
use crate::process::Process;
use crate::server::on_free_ports;
use crate::wait::wait_until;

/// A real MariaDB, alone on a free port of 127.0.0.1, in a temporary folder; ended when this is dropped.
///
/// It loses nothing by [`kill`](Self::kill), but does not wait for the disk.
///
/// ```
/// let Some(mariadb) = rig::MariaDb::start() else { return };
/// let url = mariadb.fresh_database();
/// mariadb.sql(&url, "CREATE TABLE things (name text); INSERT INTO things VALUES ('a')");
/// assert_eq!(mariadb.sql(&url, "SELECT count(*) FROM things"), "1");
/// ```
#[derive(Debug)]
pub struct MariaDb {
    port: u16,
    client: PathBuf,
    databases: AtomicU32,
    // Before its folder, so that it is gone when the folder goes.
    process: Process,
    folder: TempDir,
}

impl MariaDb {
    /// Starts one; `None` where there is none.
    ///
    /// # Panics
    ///
    /// When it does not start, with the end of its log; when it is missing and [`programs::required`].
    #[must_use]
    pub fn start() -> Option<Self> {
        let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from);
        let either = |new, old| if look_up(new, &folders).is_some() { new } else { old };
        let names = ["mariadb-install-db", either("mariadbd", "mysqld"), either("mariadb", "mysql")];
        let programs = need(names, &folders)?;
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
        static RUNNING: Running<MariaDb> = Running::new(Weak::new());
        shared(&RUNNING, Self::start)
    }

    /// How clients reach it, and a database that is there from the start, with the password of a user who may do all.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("mysql")
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&self.url(), &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        self.url_of(&name)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL in the database of this URL: a line for each row, a tab between its fields.
    ///
    /// # Panics
    ///
    /// When it is refused, or the server is away.
    pub fn sql(&self, url: &str, text: &str) -> String {
        self.query(name_in(url), text).unwrap_or_else(|error| panic!("{text}: {error}{}", self.process.log()))
    }

    /// Ends it as a crash does (SIGKILL). Nothing when it does not run.
    pub fn kill(&self) {
        self.process.end("KILL");
    }

    /// Ends it as a service manager does (SIGTERM). Nothing when it does not run.
    pub fn stop(&self) {
        self.process.end("TERM");
    }

    /// Starts it again, on the same port and with all data, after [`kill`](Self::kill) or [`stop`](Self::stop) or
    /// without.
    ///
    /// # Panics
    ///
    /// When it does not start, with the end of its log.
    pub fn restart(&self) {
        self.stop();
        wait_until("the port of a MariaDB that was stopped", || self.launch());
    }

    fn on(port: u16, [install, server, client]: &[PathBuf; 3]) -> Self {
        let folder = folder();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut common = vec!["--no-defaults".to_owned(), format!("--datadir={}", path("data"))];
        // Of its own: a server that starts deletes the temporary tables that others have in the same place.
        common.push(format!("--tmpdir={}", folder.path().display()));
        // Small files: they are most of what has to be written.
        common.extend(["--innodb-log-file-size=4M", "--skip-name-resolve"].map(str::to_owned));
        if owner(folder.path()) == 0 {
            common.push("--user=root".to_owned());
        }
        let mut command = Command::new(install);
        command.args(&common).args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(&mut command).unwrap_or_else(|error| panic!("no tables of MariaDB's own: {error}"));
        let first = format!(
            "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
        );
        fs::write(path("first.sql"), first).unwrap_or_else(|error| panic!("no first.sql: {error}"));
        let arguments = [
            common,
            vec![
                format!("--port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--socket={}", path("socket")),
                format!("--pid-file={}", path("pid")),
                format!("--log-error={}", path("log")),
                format!("--init-file={}", path("first.sql")),
            ],
            [
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=32M",
                "--skip-innodb-doublewrite",
            ]
            .into_iter()
            .chain(["--skip-log-bin", "--performance-schema=OFF", "--default-time-zone=+00:00"])
            .chain(["--character-set-server=utf8mb4", "--max-connections=200"])
            .map(str::to_owned)
            .collect(),
        ];
        let process = Process::new(server, arguments.concat(), folder.path().join("log"));
        Self { port, client: client.clone(), databases: AtomicU32::new(1), process, folder }
    }

    /// Starts the process; false when its port is taken.
    fn launch(&self) -> bool {
        let socket = self.folder.path().join("socket");
        self.process.start(|| socket.exists() && self.query("mysql", "SELECT 1").is_ok())
    }

    fn query(&self, database: &str, text: &str) -> Result<String, String> {
        let mut command = Command::new(&self.client);
        command.args(["--no-defaults", "--batch", "--skip-column-names", "--connect-timeout=10"]);
        command.args(["--protocol=tcp", "--host=127.0.0.1", "--default-character-set=utf8mb4"]);
        command.args([&format!("--port={}", self.port), &format!("--user={USER}")]);
        run(command.arg(format!("--password={PASSWORD}")).args(["-e", text, database]))
    }

    fn url_of(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // What it would still write goes with the folder.
        self.process.let_go("KILL");
    }
}
