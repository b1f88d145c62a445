//! A project that is built in a moment: in the place of `narrows-web` it has a few lines that do what `narrows run` asks
//! of a program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use programs::Child;
use tempfile::TempDir;

use super::server::get;
use super::{checkout, edit, somewhere};

/// How long a build may take: of a moment, but other tests may have the compiler.
const BUILD: Duration = Duration::from_secs(300);

pub(super) struct Tiny {
    _folder: TempDir,
    name: &'static str,
    /// With a space in it.
    pub(super) root: PathBuf,
}

impl Tiny {
    pub(super) fn new(name: &'static str) -> Self {
        let folder = somewhere();
        let root = folder.path().join("a site");
        let this = Self { _folder: folder, name, root };
        this.write(
            "Cargo.toml",
            &format!("{PACKAGE}name = \"{name}\"\n[dependencies]\nnarrows-web.path = \"web\"\n"),
        );
        this.write("src/main.rs", "fn main() {\n    narrows_web::run(\"one\")\n}\n");
        this.write("static/site.css", "");
        this.write(
            "web/Cargo.toml",
            &format!("{PACKAGE}name = \"narrows-web\"\n[dependencies]\nlistenfd = \"1\"\n"),
        );
        this.write("web/src/lib.rs", WEB);
        fs::copy(checkout().join("Cargo.lock"), this.root.join("Cargo.lock")).unwrap();
        this
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn edit(&self, from: &str, to: &str) {
        edit(&self.root.join("src/main.rs"), from, to);
    }

    /// `narrows run`, from within this very test: the variables of its cargo are there.
    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.arg("run").args(arguments).current_dir(self.root.join("src"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tiny");
        command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
        Run { child: Child::start(&mut command), name: self.name, address: String::new() }
    }

    /// The same, once it serves, on a port that was free.
    pub(super) fn served(&self) -> Run {
        let mut run = self.run(&["--bind", "127.0.0.1:0"]);
        run.is_at();
        run
    }
}

pub(super) struct Run {
    pub(super) child: Child,
    name: &'static str,
    address: String,
}

impl Run {
    /// Waits until it is served, and where.
    pub(super) fn is_at(&mut self) -> &str {
        let line = self.child.line_within(&format!("serving {} at http://", self.name), BUILD);
        self.address = line.split('/').next().unwrap().to_owned();
        &self.address
    }

    pub(super) fn says(&mut self, words: &str) {
        self.child.line_within(words, BUILD);
    }

    /// Waits until this is to be seen.
    pub(super) fn shows(&self, path: &str, text: &str) {
        soon(|| (self.asks(path)? == text).then_some(()));
    }

    /// What it answers. Unlike a true site, an old program breaks off when it ends.
    pub(super) fn asks(&self, path: &str) -> Option<String> {
        get(&self.address, path).ok().filter(|(status, _)| *status == 200).map(|(_, body)| body)
    }

    pub(super) fn ends(mut self) {
        self.child.signal("INT");
        let (status, said) = self.child.end(Duration::from_secs(60));
        assert!(status.success(), "{said}");
        assert!(get(&self.address, "/").is_err(), "nobody listens any more");
    }
}

/// What is there after a while: there is nothing to wait for but the thing itself.
pub(super) fn soon<T>(look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it does not come about");
        thread::sleep(Duration::from_millis(5));
    }
}

const PACKAGE: &str = "[package]\nversion = \"0.1.0\"\nedition = \"2024\"\n";

const WEB: &str = r##"
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

static RELOADS: AtomicUsize = AtomicUsize::new(0);

pub fn run(version: &'static str) {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--print-config") {
        let bind = arguments.windows(2).find(|pair| pair[0] == "--bind").map(|pair| format!("bind = [\"{}\"]", pair[1]));
        println!("{}", bind.unwrap_or_else(|| std::fs::read_to_string("narrows.toml").unwrap()));
        return;
    }
    if version == "ends" {
        std::process::exit(3);
    }
    let mut given = listenfd::ListenFd::from_env();
    for index in 0..given.len() {
        let listener = given.take_tcp_listener(index).unwrap().unwrap();
        std::thread::spawn(move || accept(listener, version));
    }
    for line in std::io::stdin().lock().lines() {
        RELOADS.fetch_add(usize::from(line.unwrap() == "reload"), Ordering::SeqCst);
    }
}

fn accept(listener: TcpListener, version: &str) {
    for stream in listener.incoming() {
        answer(stream.unwrap(), version).ok();
    }
}

fn answer(mut stream: TcpStream, version: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let body = match first.split(' ').nth(1) {
        Some("/reloads") => RELOADS.load(Ordering::SeqCst).to_string(),
        Some("/folder") => std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default(),
        _ => version.to_owned(),
    };
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}
"##;
