use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use programs::Child;

use super::server::{Events, get, wait_for};
use super::{cargo_environment, edit, project, somewhere};

/// How long a build may take on a machine that has much else to do.
const BUILD: Duration = Duration::from_secs(600);

/// A day of work on a site, in one test, as it is built once.
#[test]
fn a_site_is_served_without_a_gap_while_somebody_works_on_it() {
    let folder = somewhere();
    let root = project(folder.path(), "harbour");
    add_routes(&root);
    let mut run = start(&root);
    let address = address(&mut run);
    let visitors = Visitors::start(&address);
    wait_for(&address, "/version/", "one");

    // A template is read anew, and pages are told.
    let mut page = Events::open(&address);
    edit(&root.join("templates/base.html"), "</header>", "<b>new</b></header>");
    page.wait("event: reload");
    assert!(get(&address, "/").unwrap().1.contains("<b>new</b>"));

    // Code is built, and takes over; the old program ends.
    edit(&root.join("src/chat/mod.rs"), "\"one\"", "\"two\"");
    run.line_within("serving the new harbour", BUILD);
    wait_for(&address, "/version/", "two");

    // What does not compile changes nothing.
    edit(&root.join("src/chat/mod.rs"), "\"two\"", "\"three");
    run.line_within("the build failed; the site goes on as it was", BUILD);
    wait_for(&address, "/version/", "two");
    edit(&root.join("src/chat/mod.rs"), "\"three", "\"three\"");
    run.line_within("serving the new harbour", BUILD);
    wait_for(&address, "/version/", "three");
    assert!(visitors.served() > 0);

    // A program that ends is not the end.
    get(&address, "/crash/").ok();
    run.line_within("the program ended: its status is 3; waiting for a change", BUILD);
    edit(&root.join("src/chat/mod.rs"), "\"three\"", "\"four\"");
    run.line_within("serving harbour at", BUILD);
    wait_for(&address, "/version/", "four");

    run.signal("INT");
    let (status, said) = run.end(Duration::from_secs(60));
    assert!(status.success(), "{said}");
    assert!(get(&address, "/version/").is_err(), "nobody listens any more");
}

fn add_routes(root: &Path) {
    let routes = "Routes::new()\n        .route(\"version\", \"/version/\", get(async || \"one\"))\n        \
                  .route(\"crash\", \"/crash/\", get(async || -> &str { std::process::exit(3) }))";
    edit(&root.join("src/chat/mod.rs"), "Routes::new()", routes);
}

fn start(root: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(["run", "--bind", "127.0.0.1:0", "--", "--log", "warn"]).current_dir(root);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO")) {
        if name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    Child::start(command.envs(cargo_environment()).env_remove("DATABASE_URL"))
}

/// Where it listens: a port that was free.
fn address(run: &mut Child) -> String {
    let line = run.line_within("serving harbour at http://", BUILD);
    line.split('/').next().unwrap().to_owned()
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
