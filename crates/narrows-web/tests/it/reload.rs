//! Pages that load themselves again, with a program that is run as `narrows run` runs it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, PipeWriter, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use axum::response::Html;
use axum::routing::get;
use narrows_web::narrows::serve::settings::{Command as Asked, Settings};
use narrows_web::{App, Project, Routes};
use programs::Child;

const TAG: &str = "<script src=\"/__narrows__/reload.js\" defer></script>";

fn project() -> Project {
    let app = App::new("main").routes(|_| {
        Routes::new()
            .route("page", "/page/", get(async || Html("<html><body>page</BODY></html>")))
            .route("part", "/part/", get(async || Html("<p>part</p>")))
            .route("text", "/text/", get(async || "no </body> page"))
    });
    Project::new("small", "1.0.0").app(app)
}

/// The program: this very test binary.
#[test]
#[ignore = "a program for the other tests, which run it"]
fn program() {
    let settings = ["--bind=127.0.0.1:0", "--database-url=sqlite::memory:", "--secret-key=of-a-test"];
    let development = std::env::var_os("DEVELOPMENT").unwrap_or_default();
    let settings = settings.into_iter().map(OsString::from).chain([development]);
    let loaded = Settings::load(&project().program(), settings, [("", ""); 0]).unwrap();
    let Asked::Run(loaded) = loaded else { panic!("a text") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { project().open(*loaded).await.unwrap().serve().await.unwrap() });
}

/// A running program, and its standard input.
struct Program {
    child: Child,
    input: PipeWriter,
    address: String,
}

impl Program {
    fn start(reload: &str, development: &str) -> Self {
        let (reader, input) = std::io::pipe().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "reload::program", "--ignored", "--nocapture"]);
        command.env("NARROWS_RELOAD", reload).env("DEVELOPMENT", development);
        let mut child = Child::start_with_input(&mut command, reader);
        let address = child.line("small is at http://").trim_end_matches('/').to_owned();
        Self { child, input, address }
    }

    fn developed() -> Self {
        Self::start("1", "--development=on")
    }

    fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        self.ask(path).read_to_string(&mut answer).unwrap();
        answer
    }

    /// The event stream of a page.
    fn events(&self) -> impl Iterator<Item = String> + use<> {
        let lines = BufReader::new(self.ask("/__narrows__/reload")).lines().map(Result::unwrap);
        lines.filter(|line| line.starts_with("event: ") || line.starts_with("data: "))
    }
}

fn process(page: &str) -> &str {
    let (_, rest) = page.split_once("<meta name=\"narrows-process\" content=\"").expect("a page says it");
    rest.split_once('"').unwrap().0
}

#[test]
fn a_page_gets_the_script_and_nothing_else_does() {
    let program = Program::developed();
    let page = program.get("/page/");
    assert!(page.contains(&format!("{TAG}\n</BODY>")), "{page}");
    let body = page.split_once("\r\n\r\n").unwrap().1;
    assert!(page.contains(&format!("content-length: {}\r\n", body.len())), "{page}");
    assert!(program.get("/nothing/").contains("404 Not Found"));
    for path in ["/part/", "/text/"] {
        assert!(!program.get(path).contains("reload.js"), "{path}");
    }
    let script = program.get("/__narrows__/reload.js");
    assert!(
        script.contains("text/javascript") && script.contains("EventSource('/__narrows__/reload')"),
        "{script}"
    );
}

#[test]
fn a_line_has_the_open_pages_load_again() {
    let mut program = Program::developed();
    let mut events = program.events();
    assert_eq!(events.next().unwrap(), "event: process");
    let of_page = format!("data: {}", process(&program.get("/page/")));
    assert_eq!(events.next().unwrap(), of_page, "the page is of this process");
    let long = "x".repeat(100_000);
    program.input.write_all(format!("unknown\n{long}\nreload\n").as_bytes()).unwrap();
    assert_eq!(events.next().unwrap(), "event: reload");
    let data = events.next().unwrap();
    assert!(data.starts_with("data: ") && data.ends_with("-1"), "browsers leave out what has none: {data}");
}

#[test]
fn a_page_that_comes_too_late_to_be_told_sees_that_it_is_an_old_one() {
    let mut program = Program::developed();
    let old = program.get("/page/");
    let mut of_another_page = program.events();
    assert_eq!(of_another_page.next().unwrap(), "event: process");
    program.input.write_all(b"reload\n").unwrap();
    assert!(of_another_page.any(|line| line == "event: reload"));
    let mut events = program.events().skip(1);
    let now = events.next().unwrap();
    assert_ne!(now, format!("data: {}", process(&old)));
    assert_eq!(now, format!("data: {}", process(&program.get("/page/"))));
}

#[test]
fn another_process_has_another_name() {
    let (one, other) = (Program::developed(), Program::developed());
    assert_ne!(process(&one.get("/page/")), process(&other.get("/page/")));
}

#[test]
fn the_end_of_the_input_ends_the_program_with_pages_open() {
    let Program { mut child, input, address } = Program::developed();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /__narrows__/reload HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    drop(input);
    let (status, output) = child.end(Duration::from_secs(60));
    assert!(status.success(), "{output}");
}

#[test]
fn in_production_and_without_narrows_run_there_is_nothing_of_it() {
    for (reload, development) in [("1", "--development=off"), ("0", "--development=on")] {
        let program = Program::start(reload, development);
        assert!(!program.get("/page/").contains("reload.js"));
        for path in ["/__narrows__/reload.js", "/__narrows__/reload"] {
            assert!(program.get(path).contains("404 Not Found"), "{path}");
        }
        drop(program.input);
        let mut child = program.child;
        assert!(!child.has_ended(), "its input is nothing to it");
    }
}
