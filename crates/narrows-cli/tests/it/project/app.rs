use std::fs;

use super::{done, edit, narrows, project, refused, somewhere};

#[test]
fn an_app_is_registered_once_and_overwrites_nothing() {
    let folder = somewhere();
    let root = project(folder.path(), "mysite");
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();

    // From a folder below, too.
    done(&narrows(&root.join("src"), &["app", "blog"]));

    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let expected = lib
        .replace("pub mod chat;\n", "pub mod blog;\npub mod chat;\n")
        .replace("        .app(chat::app())\n", "        .app(chat::app())\n        .app(blog::app())\n");
    assert_eq!(read("src/lib.rs"), expected);
    assert!(
        read("tests/it/main.rs").contains("mod blog;\nmod chat;\n")
            && root.join("tests/it/blog.rs").is_file()
    );
    assert!(read("src/blog/mod.rs").contains("App::new(\"blog\")"));

    for path in ["src/blog", "src/notes.rs", "tests/it/tags.rs"] {
        fs::write(root.join(path), "mine").ok();
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        let said = refused(&narrows(&root, &["app", name]));
        assert!(said.contains("is there already; nothing was written"), "{said}");
    }
    assert_eq!(read("src/lib.rs"), expected);
}

#[test]
fn a_name_that_would_not_compile_is_refused() {
    let folder = somewhere();
    let root = project(folder.path(), "mysite");
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    for (name, reason) in [
        ("Blog", "small letters"),
        ("my-blog", "small letters"),
        ("type", "a word of Rust's own"),
        ("garde", "choose another"),
        ("accounts", "has a crate or an app"),
        ("axum", "choose another"),
        ("chat", "is there already"),
        ("mysite", "has a crate or an app"),
    ] {
        let said = refused(&narrows(&root, &["app", name]));
        assert!(said.contains(reason), "{name}: {said}");
    }
    assert_eq!(fs::read_to_string(root.join("src/lib.rs")).unwrap(), lib);
}

#[test]
fn an_app_may_be_called_as_the_samples_are() {
    let folder = somewhere();
    let root = project(folder.path(), "shop");
    for name in ["mysite", "newapp"] {
        done(&narrows(&root, &["app", name]));
        let tests = fs::read_to_string(root.join(format!("tests/it/{name}.rs"))).unwrap();
        assert!(tests.contains("shop::project()") && tests.contains(&format!("\"/{name}/ws/\"")), "{tests}");
    }
}

#[test]
fn a_project_that_is_written_otherwise_is_told_what_to_add() {
    let folder = somewhere();
    let root = project(folder.path(), "mysite");
    edit(&root.join("src/lib.rs"), ".app(", ". app(");
    edit(&root.join("src/lib.rs"), ".assets(", ". assets(");
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();

    let said = done(&narrows(&root, &["app", "blog"]));

    assert!(said.contains("pub mod blog;") && said.contains(".app(blog::app())"), "{said}");
    assert_eq!(fs::read_to_string(root.join("src/lib.rs")).unwrap(), lib, "left alone");
    assert!(root.join("src/blog/mod.rs").is_file());
}
