use super::name::Name;

/// Files as they lie beside the source of this program.
macro_rules! files {
    // A macro, as `include_str!` takes a literal only.
    ($folder:literal, [$($path:literal),* $(,)?]) => {
        &[$(($path, include_str!(concat!("../../", $folder, "/", $path)))),*]
    };
}

/// A project called `mysite`, by path. A name without its dot gets it back.
const PROJECT: &[(&str, &str)] = files!(
    "project",
    [
        "Dockerfile",
        "README.md",
        "build.rs",
        "cargo.toml",
        "deploy/mysite.service",
        "deploy/nginx.conf",
        "dockerignore",
        "gitignore",
        "narrows.toml",
        "src/chat/consumers.rs",
        "src/chat/migrations/m0001_initial.rs",
        "src/chat/migrations/mod.rs",
        "src/chat/migrations/snapshot.json",
        "src/chat/mod.rs",
        "src/chat/models.rs",
        "src/chat/static/chat/chat.css",
        "src/chat/static/chat/room.js",
        "src/chat/templates/chat/index.html",
        "src/chat/templates/chat/room.html",
        "src/chat/views.rs",
        "src/lib.rs",
        "src/main.rs",
        "static/favicon.svg",
        "static/site.css",
        "templates/404.html",
        "templates/base.html",
        "tests/it/chat.rs",
        "tests/it/main.rs",
    ]
);

/// What is different in a project without an app. Lines of the others that name the app or users are left out.
const BARE: &[(&str, &str)] = files!(
    "bare",
    ["src/lib.rs", "templates/404.html", "templates/base.html", "tests/it/main.rs", "tests/it/site.rs"]
);

/// The app of the sample, as paths and the README name it.
const SAMPLES_APP: &str = "src/chat/";

/// The command for which a site has accounts.
const USERS: &str = "createsuperuser";

/// An app called `newapp`, of a project called `mysite`.
const APP: &[(&str, &str)] = files!(
    "app",
    [
        "src/consumers.rs",
        "src/migrations/m0001_initial.rs",
        "src/migrations/mod.rs",
        "src/migrations/snapshot.json",
        "src/mod.rs",
        "src/models.rs",
        "src/static/newapp/list.js",
        "src/templates/newapp/index.html",
        "src/views.rs",
        "tests/newapp.rs",
    ]
);

/// The names that stand in the files.
const SAMPLE: &str = "mysite";
const SAMPLE_APP: &str = "newapp";

/// The files of a project of this name: paths in its folder, and texts. A bare one has no app.
pub(super) fn project(name: &Name, is_bare: bool) -> impl Iterator<Item = (String, String)> {
    let module = name.module();
    let is_wanted =
        move |path: &str| !is_bare || !(path.starts_with(SAMPLES_APP) || path == "tests/it/chat.rs");
    let common = PROJECT.iter().filter(move |(path, _)| is_wanted(path));
    let other = BARE.iter().filter(move |_| is_bare);
    common.chain(other).map(move |(path, text)| {
        let text = if is_bare { without_their_crates(&without_app(text)) } else { (*text).to_owned() };
        let text = text.replace(SAMPLE, if path.ends_with(".rs") { &module } else { name.as_str() });
        let path = match *path {
            // Under its own name cargo would take the folder for a package, and git the file for its own.
            "cargo.toml" => "Cargo.toml".to_owned(),
            "dockerignore" | "gitignore" => format!(".{path}"),
            path => path.replace(SAMPLE, name.as_str()),
        };
        (path, text)
    })
}

/// Without the lines that tell of the sample's app, or of users.
fn without_app(text: &str) -> String {
    let is_wanted = |line: &&str| !line.contains(SAMPLES_APP) && !line.contains(USERS);
    text.split_inclusive('\n').filter(is_wanted).collect()
}

/// A manifest without the dependencies that only the sample's app and the admin have.
fn without_their_crates(text: &str) -> String {
    let is_theirs =
        |line: &&str| ["garde = ", "narrows-admin = "].iter().any(|start| line.starts_with(start));
    text.split_inclusive('\n').filter(|line| !is_theirs(line)).collect()
}

/// The files of an app's own folder: paths in it, and texts.
pub(crate) fn app(name: &str) -> impl Iterator<Item = (String, String)> {
    let own = APP.iter().filter_map(|(path, text)| Some((path.strip_prefix("src/")?, text)));
    own.map(move |(path, text)| (path.replace(SAMPLE_APP, name), text.replace(SAMPLE_APP, name)))
}

/// The text of an app's tests, in a project of this crate name.
pub(crate) fn app_tests(name: &str, project: &str) -> String {
    let found = APP.iter().find(|(path, _)| path.starts_with("tests/"));
    let (_, text) = found.expect("the list has them");
    // One after another would change what is put in, too: an app may be called as the sample is.
    let parts = text.split(SAMPLE_APP).map(|part| part.replace(SAMPLE, project));
    parts.collect::<Vec<_>>().join(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn files_in(folder: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn every_file_of_the_samples_is_listed() {
        for (folder, list) in [("project", PROJECT), ("bare", BARE), ("app", APP)] {
            let listed: Vec<_> = list.iter().map(|(path, _)| *path).collect();
            assert_eq!(files_in(folder), listed);
        }
    }
}
