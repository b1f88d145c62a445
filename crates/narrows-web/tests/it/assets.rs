//! Templates and static files: which are found, in the folder and in the binary.

use std::os::unix::fs::symlink;

use narrows_web::testing::TestSite;
use narrows_web::{App, Assets, Project, context};

use crate::pages::{folder, project_of, write};

async fn embedded() -> TestSite {
    Project::new("small", "1.0.0").assets(embedded_project::embedded()).test().await
}

async fn in_development() -> TestSite {
    let project = Project::new("small", "1.0.0").assets(embedded_project::folder());
    project.test_with(["--development=on"]).await
}

#[tokio::test]
async fn the_binary_and_the_folder_have_the_same_pages() {
    for site in [embedded().await, in_development().await] {
        let page = site.site().render_text("chat/room.html", context! { room => "<Lobby>" }).unwrap();
        assert!(page.contains("<title>&lt;Lobby&gt;</title>"), "{page}");
        let which = site.site().render_text("which.html", context! {}).unwrap();
        assert_eq!(which.trim(), "<h1>Of the project</h1>");
    }
}

#[tokio::test]
async fn the_binary_and_the_folder_have_the_same_files() {
    let (embedded, folder) = (embedded().await, in_development().await);
    for name in ["site.css", "js/room.js", "img/logo.svg", "chat/voice.ogg", "a%20name.txt"] {
        let path = format!("/static/{name}");
        let (from_binary, from_folder) = (embedded.get(&path).await, folder.get(&path).await);
        assert_eq!(from_binary.status(), 200, "{name}");
        assert_eq!(from_binary.body(), from_folder.body(), "{name}");
        assert_eq!(from_binary.header("content-type"), from_folder.header("content-type"), "{name}");
    }
}

#[tokio::test]
async fn the_projects_own_files_come_before_an_apps_and_those_before_the_built_in_ones() {
    let root = folder(&[
        ("src/b/templates/x.html", "b"),
        ("src/a/templates/x.html", "a"),
        ("src/a/static/x.txt", "a"),
        ("templates/y.html", "project"),
        ("src/a/templates/y.html", "a"),
        ("templates/narrows/error.html", "own"),
    ]);
    let other = App::new("other").assets(Assets::templates(&[("x.html", "other"), ("z.html", "other")]));
    let site = project_of(&root).app(other).test().await;
    let text = |name: &str| site.site().render_text(name, context! {}).unwrap();
    assert_eq!([text("x.html"), text("y.html"), text("z.html")], ["a", "project", "other"]);
    assert_eq!(text("narrows/error.html"), "own");
    assert_eq!(site.get("/static/x.txt").await.text(), "a");
}

#[tokio::test]
async fn a_static_file_that_an_app_shares_with_the_project_is_the_projects() {
    let root = folder(&[("static/site.css", "of another project")]);
    let app = App::new("other").assets(embedded_project::embedded());
    let site = project_of(&root).app(app).test().await;
    assert_eq!(site.get("/static/site.css").await.text(), "of another project");
    let url = site.site().static_url("site.css").unwrap();
    assert_eq!(url, "/static/site.css");
}

#[tokio::test]
async fn a_template_that_changes_is_read_anew_in_development() {
    let root = folder(&[
        ("templates/page.html", "one {% include 'part.html' %}"),
        ("src/a/templates/part.html", "1"),
    ]);
    let site = project_of(&root).test_with(["--development=on"]).await;
    let text = || site.site().render_text("page.html", context! {}).unwrap();
    assert_eq!(text(), "one 1");
    write(root.path(), "src/a/templates/part.html", "changed");
    assert_eq!(text(), "one changed");
    // One that is looked for earlier takes its place.
    write(root.path(), "templates/part.html", "own");
    assert_eq!(text(), "one own");
}

#[tokio::test]
async fn a_template_is_read_once_in_production() {
    let root = folder(&[("templates/page.html", "one")]);
    let site = project_of(&root).test().await;
    let text = || site.site().render_text("page.html", context! {}).unwrap();
    assert_eq!(text(), "one");
    write(root.path(), "templates/page.html", "changed");
    assert_eq!(text(), "one");
}

#[tokio::test]
#[should_panic(expected = "broken.html:2")]
async fn a_template_that_cannot_be_parsed_is_found_at_the_start() {
    let root = folder(&[("templates/broken.html", "\n{% if %}")]);
    project_of(&root).test().await;
}

#[tokio::test]
async fn in_development_a_broken_template_is_the_trouble_of_its_own_page() {
    let root = folder(&[("templates/broken.html", "{% if %}"), ("templates/whole.html", "whole")]);
    let site = project_of(&root).test_with(["--development=on"]).await;
    assert!(site.site().render_text("broken.html", context! {}).is_err());
    assert_eq!(site.site().render_text("whole.html", context! {}).unwrap(), "whole");
}

#[tokio::test]
async fn templates_that_are_constants_are_there_in_development_too() {
    let app = App::new("other").assets(Assets::templates(&[("x.html", "a constant")]));
    assert!(std::path::Path::new("src").is_dir(), "the current folder is a project's, as under cargo");
    let site = Project::new("small", "1.0.0").app(app).test_with(["--development=on"]).await;
    assert_eq!(site.site().render_text("x.html", context! {}).unwrap(), "a constant");
}

#[tokio::test]
async fn links_out_of_the_folder_are_not_followed_and_those_in_circles_have_an_end() {
    let elsewhere = folder(&[("deep/page.html", "{% broken")]);
    let root = folder(&[("templates/page.html", "page"), ("templates/a/x.html", "x")]);
    symlink(elsewhere.path(), root.path().join("templates/elsewhere")).unwrap();
    for name in ["b", "c", "a/d", "a/e"] {
        symlink(root.path().join("templates"), root.path().join("templates").join(name)).unwrap();
    }
    // All templates are looked for and parsed.
    let site = project_of(&root).test().await;
    assert_eq!(site.site().render_text("page.html", context! {}).unwrap(), "page");
    assert!(site.site().render_text("elsewhere/deep/page.html", context! {}).is_err());
}
