//! A new project, from the first command to the last, as somebody has it who makes one.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use programs::Child;

use super::eyes;
use super::server::{Events, get, wait_for};
use super::{done, edit, narrows, project, somewhere};

/// How long a build may take on a machine that has much else to do.
const BUILD: Duration = Duration::from_secs(600);

/// One test, as the project is built once, with nothing of the workspace's own: its `Cargo.toml` is the one that is written.
#[test]
fn a_new_project_tests_itself_migrates_and_is_served_without_a_gap_while_somebody_works_on_it() {
    let folder = somewhere();
    let root = project(folder.path(), "harbour");
    done(&narrows(&root, &["app", "blog"]));
    add_version(&root);
    cargo(&root, &["fmt", "--check"]);
    cargo(&root, &["test"]);

    let column = "        pub text: String,\n        pub done: Option<bool>,\n";
    edit(&root.join("src/blog/models.rs"), "        pub text: String,\n", column);
    let made = tool(&root, &["makemigrations"]);
    assert!(done(&made).contains("0002"), "{made:?}");

    let mut run = start(&root);
    let line = run.line_within("serving harbour at http://", BUILD);
    let address = line.split('/').next().unwrap();
    let visitors = Visitors::start(address);
    wait_for(address, "/version/", "one");
    assert_eq!(get(address, "/blog/").unwrap().0, 200);

    // A template is read anew, and pages are told.
    let mut page = Events::open(address);
    edit(&root.join("templates/base.html"), "</header>", "<b>new</b></header>");
    page.wait("event: reload");
    assert!(get(address, "/").unwrap().1.contains("<b>new</b>"));

    let newer = || edit(&root.join("templates/base.html"), "<b>new</b>", "<b>newer</b>");
    eyes::shows(address, newer, "document.querySelector('header b')?.textContent === 'newer'");
    let pages = ["/", "/chat/lobby/", "/blog/", "/login/", "/register/", "/admin/login/", "/nothing/"];
    eyes::are_good(address, &pages);

    // Code is built, and takes over; the old program ends.
    edit(&root.join("src/chat/mod.rs"), "\"one\"", "\"two\"");
    run.line_within("serving the new harbour", BUILD);
    wait_for(address, "/version/", "two");
    assert!(visitors.served() > 0);

    run.signal("INT");
    let (status, said) = run.end(Duration::from_secs(60));
    assert!(status.success(), "{said}");
    done(&tool(&root, &["makemigrations", "--check"]));
    cargo(&root, &["fmt", "--check"]);
    cargo(&root, &["clippy", "--no-deps", "--all-targets", "--", "-D", "warnings"]);
}

fn add_version(root: &Path) {
    let routes = "Routes::new()\n        .route(\"version\", \"/version/\", get(async || \"one\"))";
    edit(&root.join("src/chat/mod.rs"), "Routes::new()", routes);
}

/// `narrows`, with a command of the project's program.
fn tool(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    as_outside(&mut command).args(arguments).current_dir(root).output().unwrap()
}

fn cargo(root: &Path, arguments: &[&str]) {
    let mut command = Command::new("cargo");
    done(&as_outside(&mut command).args(arguments).current_dir(root).output().unwrap());
}

fn start(root: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(["run", "--bind", "127.0.0.1:0", "--", "--log", "warn"]).current_dir(root);
    Child::start(as_outside(&mut command))
}

/// As if no cargo ran this test; but what is compiled is kept where all of the workspace's is.
fn as_outside(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO")) {
        if name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    let target = Path::new(env!("CARGO_BIN_EXE_narrows")).ancestors().nth(2).unwrap();
    command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true").env_remove("DATABASE_URL")
}

/// People who open pages all the time.
struct Visitors {
    done: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Visitors {
    fn start(address: &str) -> Self {
        let (address, done) = (address.to_owned(), Arc::new(AtomicBool::new(false)));
        let is_done = done.clone();
        let thread = thread::spawn(move || {
            let mut served = 0;
            while !is_done.load(Ordering::Relaxed) {
                let (status, _) = get(&address, "/").expect("no connection is refused");
                assert_eq!(status, 200);
                served += 1;
                // Not in order to wait for something: so that the builds get on.
                thread::sleep(Duration::from_millis(20));
            }
            served
        });
        Self { done, thread }
    }

    /// How often they were served; always, or this fails.
    fn served(self) -> usize {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("each request was answered")
    }
}
