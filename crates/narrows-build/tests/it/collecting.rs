use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use narrows_build::Collection;

use crate::{project, write};

#[test]
fn the_projects_own_come_before_those_of_its_apps_in_the_order_of_their_names() {
    let root = project(&[
        ("templates/base.html", "project"),
        ("src/zebra/templates/base.html", "zebra"),
        ("src/zebra/templates/card.html", "zebra"),
        ("src/ant/templates/card.html", "ant"),
        ("src/ant/static/ant/ant.css", "ant"),
        ("static/site.css", "project"),
    ]);
    let collection = Collection::read(root.path()).unwrap();
    assert_eq!(collection.templates()["base.html"], "project");
    assert_eq!(collection.templates()["card.html"], "ant");
    assert_eq!(collection.files().keys().collect::<Vec<_>>(), ["ant/ant.css", "site.css"]);
}

#[test]
fn hidden_files_and_what_editors_leave_behind_are_left_out() {
    let root = project(&[
        ("static/site.css", ""),
        ("static/.DS_Store", ""),
        ("static/.git/config", ""),
        ("static/site.css~", ""),
        ("static/.site.css.swp", ""),
        ("static/site.css.orig", ""),
        ("templates/#base.html#", "{% broken"),
        ("templates/base.html.bak", "{% broken"),
    ]);
    let collection = Collection::read(root.path()).unwrap();
    assert_eq!(collection.files().keys().collect::<Vec<_>>(), ["site.css"]);
    assert!(collection.templates().is_empty());
}

#[test]
fn a_project_without_any_has_none() {
    let root = project(&[("src/main.rs", "")]);
    let collection = Collection::read(root.path()).unwrap();
    assert!(collection.templates().is_empty() && collection.files().is_empty());
}

#[test]
fn a_link_within_its_folder_counts_as_what_it_leads_to() {
    let root = project(&[("static/img/new.png", "png"), ("static/fonts/a.woff2", "font")]);
    symlink("new.png", root.path().join("static/img/old.png")).unwrap();
    symlink("fonts", root.path().join("static/letters")).unwrap();
    let collection = Collection::read(root.path()).unwrap();
    assert_eq!(collection.files()["img/old.png"].content(), b"png");
    assert_eq!(collection.files()["letters/a.woff2"].content(), b"font");
}

#[test]
fn a_link_that_leads_out_of_its_folder_is_an_error_that_names_it() {
    let root = project(&[("data/secret_key", "secret"), ("static/site.css", "")]);
    symlink("../data/secret_key", root.path().join("static/key.txt")).unwrap();
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("static/key.txt: this link leads out of"), "{error}");
}

#[test]
fn a_link_that_leads_nowhere_is_an_error_that_names_it() {
    let root = project(&[("static/site.css", "")]);
    symlink("gone.css", root.path().join("static/old.css")).unwrap();
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("static/old.css: "), "{error}");
}

#[test]
fn a_folder_that_is_linked_into_itself_is_an_error() {
    let root = project(&[("static/js/a.js", "")]);
    symlink("..", root.path().join("static/js/again")).unwrap();
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("folders in folders without an end"), "{error}");
}

#[test]
fn a_socket_is_an_error_and_is_not_waited_for() {
    let root = project(&[("static/site.css", "")]);
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("static/socket")).unwrap();
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.ends_with("static/socket: this is neither a file nor a folder"), "{error}");
}

#[test]
fn a_name_that_is_not_utf8_is_an_error() {
    let root = project(&[("static/site.css", "")]);
    let name = OsStr::from_bytes(b"caf\xe9.css");
    std::fs::write(root.path().join("static").join(name), "").unwrap();
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("the name is not UTF-8"), "{error}");
}

#[test]
fn a_name_with_a_backslash_is_an_error() {
    let root = project(&[("static/a\\b.css", "")]);
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("a\\b.css: the name"), "{error}");
}

#[test]
fn a_template_that_is_not_utf8_is_an_error_that_names_it() {
    let root = project(&[("templates/a.html", "")]);
    write(root.path(), "src/chat/templates/chat/b.html", b"ab\xff");
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("src/chat/templates/chat/b.html: a template has to be UTF-8, and byte 2 is not"),
        "{error}"
    );
}

#[test]
fn a_template_that_cannot_be_parsed_is_an_error_with_its_line() {
    let root = project(&[("templates/a.html", "<p>\n{% if user %}\n</p>\n{% endfor %}\n")]);
    let error = Collection::read(root.path()).unwrap_err().to_string();
    assert!(error.contains("templates/a.html:4: unknown statement endfor"), "{error}");
}
