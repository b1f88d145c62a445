use std::path::Path;
use std::process::{Command, Output};

use super::{cargo_environment, done, edit, narrows, project, somewhere, text};

/// Of a new project and of one more app in it: formatted, without a warning, tested, with migrations that fit the models.
/// One test, as it is built once.
#[test]
fn a_new_project_and_an_app_in_it_are_as_one_would_write_them() {
    let folder = somewhere();
    let root = project(folder.path(), "garden");

    is_in_order(&root);
    done(&narrows(&root, &["app", "blog"]));
    is_in_order(&root);
    edit(
        &root.join("src/blog/models.rs"),
        "        pub text: String,\n",
        "        pub text: String,\n        pub done: Option<bool>,\n",
    );
    let migrated = cargo(&root, &["run", "--quiet", "--", "makemigrations"]);

    assert!(done(&migrated).contains("0002"), "{}", text(&migrated.stdout));
    is_in_order(&root);
}

fn is_in_order(root: &Path) {
    done(&cargo(root, &["fmt", "--check"]));
    done(&cargo(root, &["clippy", "--no-deps", "--all-targets", "--", "-D", "warnings"]));
    done(&cargo(root, &["test"]));
    done(&cargo(root, &["run", "--quiet", "--", "makemigrations", "--check"]));
}

fn cargo(root: &Path, arguments: &[&str]) -> Output {
    // Not the toolchain's own variables of the cargo that runs this test.
    let mut cargo = Command::new("cargo");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO")) {
        if name != "CARGO_HOME" {
            cargo.env_remove(name);
        }
    }
    cargo.args(arguments).current_dir(root).envs(cargo_environment()).output().unwrap()
}
