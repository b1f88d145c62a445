use narrows_build::Collection;

use crate::{project, write};

#[test]
fn the_version_of_a_file_by_itself_is_its_own() {
    let files = [("static/a.css", "a {}"), ("static/b.css", "b {}"), ("static/c.png", "png")];
    let root = project(&files);
    let before = Collection::read(root.path()).unwrap();
    write(root.path(), "static/a.css", b"a { color: red }");
    let after = Collection::read(root.path()).unwrap();
    assert_ne!(before.files()["a.css"].version(), after.files()["a.css"].version());
    assert_eq!(before.files()["b.css"].version(), after.files()["b.css"].version());
    assert_eq!(before.files()["c.png"].version(), after.files()["c.png"].version());
    assert_eq!(after.files()["a.css"].version().len(), 16);
}

#[test]
fn files_that_refer_to_each_other_have_one_version() {
    let root = project(&[
        ("static/js/room.js", "import { t } from './i18n.js';\nimport '../lib/x.js';"),
        ("static/js/i18n.js", "export const t = 1;"),
        ("static/lib/x.js", "export { t } from \"../js/i18n.js\";"),
        ("static/js/alone.js", "import 'https://example.com/js/room.js';"),
    ]);
    let files = Collection::read(root.path()).unwrap();
    let version = |name: &str| files.files()[name].version().to_owned();
    assert_eq!(version("js/room.js"), version("js/i18n.js"));
    assert_eq!(version("js/room.js"), version("lib/x.js"));
    assert_ne!(version("js/room.js"), version("js/alone.js"));
}

#[test]
fn a_module_that_changes_gives_all_that_import_it_another_version() {
    let root = project(&[
        ("static/a.js", "import './b.js'"),
        ("static/b.js", "import './c.js'"),
        ("static/c.js", "1"),
    ]);
    let before = Collection::read(root.path()).unwrap();
    write(root.path(), "static/c.js", b"2");
    let after = Collection::read(root.path()).unwrap();
    assert_ne!(before.files()["a.js"].version(), after.files()["a.js"].version());
}

#[test]
fn modules_in_a_circle_have_a_version() {
    let root = project(&[("static/a.js", "import './b.js'"), ("static/b.js", "import './a.js'")]);
    let files = Collection::read(root.path()).unwrap();
    assert_eq!(files.files()["a.js"].version(), files.files()["b.js"].version());
}

#[test]
fn a_style_sheet_goes_with_its_pictures_fonts_and_imports() {
    let style = "@import \"base.css\"; @font-face { src: url(fonts/a.woff2?v=1#x) } b { background: url( '../img/a b.svg' ); mask: url(../img/d%20e.svg) }";
    let root = project(&[
        ("static/css/site.css", style),
        ("static/css/base.css", ""),
        ("static/css/fonts/a.woff2", ""),
        ("static/img/a b.svg", ""),
        ("static/img/c.svg", ""),
        ("static/img/d e.svg", ""),
    ]);
    let files = Collection::read(root.path()).unwrap();
    let version = |name: &str| files.files()[name].version().to_owned();
    for name in ["css/base.css", "css/fonts/a.woff2", "img/a b.svg", "img/d e.svg"] {
        assert_eq!(version("css/site.css"), version(name), "{name}");
    }
    assert_ne!(version("css/site.css"), version("img/c.svg"));
}

#[test]
fn a_source_map_and_an_absolute_path_are_seen_for_what_they_are() {
    let root = project(&[
        ("static/a.js", "fetch('/static/b.js')\n//# sourceMappingURL=a.js.map"),
        ("static/b.js", ""),
        ("static/a.js.map", "{}"),
    ]);
    let files = Collection::read(root.path()).unwrap();
    assert_eq!(files.files()["a.js"].version(), files.files()["a.js.map"].version());
    assert_ne!(files.files()["a.js"].version(), files.files()["b.js"].version());
}

#[test]
fn a_large_file_of_quotes_has_an_end() {
    // Looked through to its end for each of them, it would take an hour.
    let root = project(&[("static/a.js", &"'\"(`=".repeat(40_000))]);
    assert_eq!(Collection::read(root.path()).unwrap().files().len(), 1);
}
