//! The tutorial, which is followed to the letter: what it writes down is what the examples are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{checkout, done, narrows, somewhere};

const PARTS: [u32; 4] = [1, 2, 3, 4];

/// The files that a part of the tutorial gives whole: a path on a line of its own, and the text below it.
fn files_of(part: u32) -> Vec<(String, String)> {
    let page = fs::read_to_string(checkout().join(format!("docs/tutorial-{part}.md"))).unwrap();
    let mut lines = page.lines().peekable();
    let mut files = Vec::new();
    while let Some(line) = lines.next() {
        let path = line.strip_prefix('`').and_then(|line| line.strip_suffix('`'));
        if let Some(path) = path.filter(|_| lines.peek().is_some_and(|next| next.starts_with("```"))) {
            let text =
                lines.by_ref().skip(1).take_while(|line| *line != "```").map(|line| format!("{line}\n"));
            files.push((path.to_owned(), text.collect()));
        }
    }
    assert!(files.len() > 3, "part {part} gives files");
    files
}

/// The crates that a manifest names as its dependencies.
fn crates_of(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let (_, rest) = text.split_once("[dependencies]\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.starts_with('[') && !line.is_empty());
    let crates = lines.filter(|line| !line.starts_with('#')).map(|line| line.split(['.', ' ', '=']).next());
    crates.map(|name| name.unwrap().to_owned()).collect()
}

/// The crates that a part has added.
fn added_in(part: u32) -> Vec<String> {
    let page = fs::read_to_string(checkout().join(format!("docs/tutorial-{part}.md"))).unwrap();
    let commands = page.lines().filter_map(|line| line.strip_prefix("cargo add "));
    commands.map(|rest| rest.split(' ').next().unwrap().to_owned()).collect()
}

/// The text of a file in a part's example, as the reader of the tutorial has it, who calls the site `teahouse`.
fn in_example(part: u32, path: &str) -> String {
    let path = checkout().join(format!("examples/tutorial-{part}/{path}"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace(&format!("tutorial_{part}"), "teahouse")
}

/// All files of an example but its manifest, by their paths.
fn example(part: u32) -> BTreeMap<String, String> {
    let root = checkout().join(format!("examples/tutorial-{part}"));
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            match name.as_str() {
                "Cargo.toml" | "rustfmt.toml" | "data" => {}
                _ if path.is_dir() => folders.push(path),
                _ => drop(found.insert(name.clone(), in_example(part, &name))),
            }
        }
    }
    found
}

/// What `makemigrations` adds to.
const GROWS: &str = "src/chat/migrations/mod.rs";

#[test]
fn who_follows_the_tutorial_has_the_site_of_each_part() {
    let folder = somewhere();
    let path = checkout();
    let new = ["new", "teahouse", "--bare", "--no-git", "--path", path.to_str().unwrap()];
    done(&narrows(folder.path(), &new));
    let root = folder.path().join("teahouse");
    let mut crates = crates_of(&root.join("Cargo.toml"));
    for part in PARTS {
        crates.extend(added_in(part));
        let manifest = checkout().join(format!("examples/tutorial-{part}/Cargo.toml"));
        assert_eq!(crates, crates_of(&manifest), "after part {part}");
        for (path, text) in files_of(part) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for (path, text) in example(part) {
            // What the command of part 3 writes; other tests look at what it does.
            if path == GROWS || path.ends_with("snapshot.json") {
                continue;
            }
            let followed = fs::read_to_string(root.join(&path));
            assert_eq!(followed.unwrap_or_default(), text, "{path} after part {part}");
        }
    }
}

#[test]
fn each_part_names_the_next_and_its_example() {
    for part in PARTS {
        let page = fs::read_to_string(checkout().join(format!("docs/tutorial-{part}.md"))).unwrap();
        assert!(page.contains(&format!("(../examples/tutorial-{part})")), "part {part}");
        let next = format!("tutorial-{}.md", part + 1);
        assert_eq!(
            page.contains(&next),
            Path::new(&checkout().join("docs").join(&next)).exists(),
            "part {part}"
        );
    }
}
