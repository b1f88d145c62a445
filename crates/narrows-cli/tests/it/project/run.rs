//! What `narrows run` does, on a project that is built in a moment.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::tiny::{Run, Tiny, soon};

#[test]
fn what_does_not_compile_changes_nothing_and_a_program_that_ends_begins_again_after_any_change() {
    let tiny = Tiny::new("tiny-failures");
    let mut run = tiny.served();
    run.shows("/", "one");

    tiny.edit("\"one\"", "\"two");
    run.says("the build failed; the site goes on as it was");
    run.shows("/", "one");
    tiny.edit("\"two", "\"two\"");
    run.says("serving the new tiny-failures");
    run.shows("/", "two");

    // It ends as soon as it begins, each time.
    tiny.edit("\"two\"", "\"ends\"");
    run.says("the program ended: its status is 3; waiting for a change");
    tiny.write("static/site.css", "body {}");
    run.says("the program ended: its status is 3; waiting for a change");
    tiny.edit("\"ends\"", "\"three\"");
    run.is_at();
    run.shows("/", "three");
    run.ends();
}

#[test]
fn a_file_that_is_saved_by_renaming_and_a_folder_that_is_made_anew_are_seen() {
    let tiny = Tiny::new("tiny-saves");
    let mut run = tiny.served();
    let source = tiny.root.join("src/main.rs");
    let text = fs::read_to_string(&source).unwrap().replace("\"one\"", "\"two\"");
    fs::write(tiny.root.join("src/.main.rs.swp"), &text).unwrap();
    fs::rename(tiny.root.join("src/.main.rs.swp"), &source).unwrap();
    run.says("serving the new tiny-saves");

    // As a bundler does that empties its folder.
    fs::remove_dir_all(tiny.root.join("static")).unwrap();
    for color in ["red", "green", "blue", "gray", "teal"] {
        let before = reloads(&run);
        tiny.write("static/site.css", color);
        soon(|| (reloads(&run) > before).then_some(()));
    }
    run.ends();
}

#[test]
fn the_program_is_told_the_projects_folder_and_not_that_of_who_started_it() {
    let tiny = Tiny::new("tiny-folder");
    let run = tiny.served();
    let root = tiny.root.canonicalize().unwrap();
    run.shows("/folder", root.to_str().unwrap());
    run.ends();
}

#[test]
fn another_address_is_taken_or_the_old_one_kept() {
    let tiny = Tiny::new("tiny-addresses");
    let bind = |address: &str| tiny.write("narrows.toml", &format!("bind = [\"{address}\"]\n"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (first, taken) = (programs::free_port(), taken.local_addr().unwrap());
    bind(&format!("127.0.0.1:{first}"));
    let mut run = tiny.run(&[]);
    run.is_at();

    bind(&taken.to_string());
    run.says(&format!("cannot listen on {taken}: another program does"));
    run.shows("/", "one");
    bind(&format!("127.0.0.1:{first}"));
    run.says("serving the new tiny-addresses");
    run.shows("/", "one");

    // The old one is in the way of the new one, and goes first.
    bind(&format!("0.0.0.0:{first}"));
    assert_eq!(run.is_at(), format!("0.0.0.0:{first}"));
    run.shows("/", "one");
    run.ends();
}

#[test]
fn a_build_that_is_ended_leaves_no_compiler_behind() {
    let tiny = Tiny::new("tiny-builds");
    let script = "fn main() {\n    std::fs::write(\"id\", std::process::id().to_string()).unwrap();\n    \
                  std::thread::sleep(std::time::Duration::from_secs(120));\n}\n";
    tiny.write("build.rs", script);
    let mut run = tiny.run(&["--bind", "127.0.0.1:0"]);
    let id = soon(|| fs::read_to_string(tiny.root.join("id")).ok().filter(|id| !id.is_empty()));

    run.child.terminate();

    let (status, said) = run.child.end(Duration::from_secs(60));
    assert!(status.success(), "{said}");
    soon(|| is_gone(&id).then_some(()));
}

/// How often pages were told to load again.
fn reloads(run: &Run) -> u32 {
    soon(|| run.asks("/reloads")).parse().unwrap()
}

/// Whether a process has ended; one that nobody has waited for yet has, too.
fn is_gone(id: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
