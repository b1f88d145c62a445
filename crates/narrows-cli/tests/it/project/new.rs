use std::fs;

use super::{checkout, done, narrows, refused, somewhere};

#[test]
fn a_bad_name_says_what_is_allowed() {
    let folder = somewhere();
    for (name, reason) in [
        ("MySite", "small letters"),
        ("9lives", "beginning with a letter"),
        ("my--site", "single - or _"),
        ("größe", "small letters"),
        ("../escape", "small letters"),
        ("match", "a word of Rust's own"),
        ("test", "choose another"),
        ("core", "choose another"),
        ("narrows-web", "choose another"),
    ] {
        let said = refused(&narrows(folder.path(), &["new", name]));
        assert!(said.contains(reason), "{name}: {said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = somewhere();
    let there = folder.path().join("mysite/notes.txt");
    fs::create_dir(there.parent().unwrap()).unwrap();
    fs::write(&there, "mine").unwrap();

    let said = refused(&narrows(folder.path(), &["new", "mysite"]));

    assert!(said.contains("mysite is there already, and not empty"), "{said}");
    assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else was left");
}

#[test]
fn an_empty_folder_becomes_the_project_and_names_are_put_in_everywhere() {
    let folder = somewhere();
    fs::create_dir(folder.path().join("here")).unwrap();

    let said = done(&narrows(folder.path(), &["new", "my-site", "here"]));

    assert!(said.contains("cd here") && said.contains("narrows run"), "{said}");
    let read = |path: &str| fs::read_to_string(folder.path().join("here").join(path)).unwrap();
    assert!(
        read("Cargo.toml").contains("name = \"my-site\"\n")
            && read("Cargo.toml").contains("narrows-web = \"0.1\"\n")
    );
    assert!(read("src/main.rs").contains("my_site::project().run()"));
    assert!(read("deploy/my-site.service").contains("ExecStart=/usr/local/bin/my-site serve"));
    assert!(read(".gitignore").contains("/data"));
}

#[test]
fn the_folder_that_somebody_is_in_becomes_the_project_and_stays_the_one_it_was() {
    use std::os::unix::fs::MetadataExt;

    let folder = somewhere();
    let id = || fs::metadata(folder.path()).unwrap().ino();
    let before = id();
    // A repository without a file is no reason against it.
    fs::create_dir(folder.path().join(".git")).unwrap();

    let said = done(&narrows(folder.path(), &["new", "mysite", ".", "--no-git"]));

    assert!(!said.contains("    cd "), "{said}");
    assert!(folder.path().join("src/chat/mod.rs").is_file() && folder.path().join(".gitignore").is_file());
    assert_eq!(id(), before);
    let hidden = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!hidden.into_iter().any(|name| name.to_str().unwrap().starts_with(".narrows")));
    assert!(refused(&narrows(folder.path(), &["new", "mysite", "."])).contains("is there already"));
}

#[test]
fn a_project_without_an_app_tells_of_none() {
    let folder = somewhere();
    done(&narrows(folder.path(), &["new", "mysite", "--bare", "--no-git"]));
    let root = folder.path().join("mysite");
    assert!(!root.join("src/chat").exists());
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for word in ["chat", "createsuperuser", "/admin/"] {
        assert!(!readme.contains(word), "{word}: {readme}");
    }
}

#[test]
fn passwords_are_as_fast_to_check_in_a_new_project_as_here() {
    let optimised = |path: &str| {
        let text = fs::read_to_string(checkout().join(path)).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let packages = manifest["profile"]["dev"]["package"].as_table().unwrap().clone();
        let names = packages.iter().filter(|(_, profile)| profile.get("opt-level").is_some());
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let here = optimised("Cargo.toml");
    assert!(here.contains(&"ring".to_owned()));
    assert_eq!(optimised("crates/narrows-cli/project/cargo.toml"), here);
}

#[test]
fn narrows_is_taken_from_where_it_is_said_to_be() {
    let folder = somewhere();
    let manifest = |arguments: &[&str], name: &str| {
        done(&narrows(folder.path(), &[&["new", name, "--no-git"], arguments].concat()));
        fs::read_to_string(folder.path().join(name).join("Cargo.toml")).unwrap()
    };
    let git = manifest(&["--git", "https://example.com/n.git", "--tag", "v1"], "one");
    assert!(git.contains("narrows-admin = { git = \"https://example.com/n.git\", tag = \"v1\" }\n"), "{git}");
    let checkout = checkout();
    let path = manifest(&["--path", checkout.to_str().unwrap()], "two");
    assert!(path.contains(&format!(
        "narrows-build = {{ path = \"{}/crates/narrows-build\" }}\n",
        checkout.display()
    )));

    let said = refused(&narrows(folder.path(), &["new", "three", "--path", "."]));
    assert!(said.contains(". is no checkout of Narrows"), "{said}");
    for wrong in [["--tag", "v1"].as_slice(), &["--git", "x", "--tag", "v1", "--rev", "2"]] {
        refused(&narrows(folder.path(), &[&["new", "three"], wrong].concat()));
    }
}

#[test]
fn a_repository_is_made_where_there_is_none() {
    let Some([git]) = programs::need(["git"]) else { return };
    let folder = somewhere();
    done(&narrows(folder.path(), &["new", "outside"]));
    assert!(folder.path().join("outside/.git").is_dir());

    done(&narrows(folder.path(), &["new", "without", "--no-git"]));
    assert!(!folder.path().join("without/.git").exists());

    let init = std::process::Command::new(git).args(["init", "--quiet"]).current_dir(folder.path()).status();
    assert!(init.unwrap().success());
    done(&narrows(folder.path(), &["new", "inside"]));
    assert!(!folder.path().join("inside/.git").exists());
}

#[test]
fn in_the_folder_of_another_workspace_it_is_one_of_its_own_unless_it_belongs_to_that_one() {
    let folder = somewhere();
    let root = "[workspace]\nmembers = [\"sites/*\"]\nexclude = [\"others\"]\n";
    fs::write(folder.path().join("Cargo.toml"), root).unwrap();
    for (place, own) in
        [("mysite", true), ("sites/mysite", false), ("others/a/mysite", false), ("sites/a/mysite", true)]
    {
        done(&narrows(folder.path(), &["new", "mysite", place, "--no-git"]));
        let manifest = fs::read_to_string(folder.path().join(place).join("Cargo.toml")).unwrap();
        assert_eq!(manifest.ends_with("\n[workspace]\n"), own, "{place}: {manifest}");
    }
}

#[test]
fn a_command_for_a_project_says_where_there_is_none() {
    let folder = somewhere();
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
    for command in [
        ["app", "blog"].as_slice(),
        &["run"],
        &["migrate", "--plan"],
        &["makemigrations"],
        &["showmigrations"],
        &["check"],
        &["worker"],
    ] {
        let said = refused(&narrows(folder.path(), command));
        assert!(said.contains("this is no Narrows project"), "{command:?}: {said}");
    }
}
