//! A real project: its migrations are made, built and applied, by its own program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A workspace with a member, beside this one, which shares what is built already.
struct Site {
    folder: PathBuf,
}

const MAIN: &str = r#"#![deny(warnings)]
//! A site.

mod chat;

use std::process::ExitCode;

use narrows_models::{Commands, sea_orm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let commands = Commands::new().app("chat", chat::models::all(), chat::migrations());
    let connection = sea_orm::Database::connect("sqlite:db.sqlite3?mode=rwc").await.unwrap();
    if let [command, sql] = &args[..]
        && command == "sql"
    {
        use sea_orm::ConnectionTrait;
        let rows = connection.query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)).await;
        for row in rows.unwrap() {
            println!("{}", row.try_get_by_index::<String>(0).unwrap());
        }
        return ExitCode::SUCCESS;
    }
    commands.run(&connection, &args).await.unwrap_or_else(|error| {
        eprintln!("{}", error.line());
        ExitCode::from(2)
    })
}
"#;

const CHAT: &str = "//! An app.

pub mod models;

/// Its migrations.
pub fn migrations() -> narrows_models::Migrations {
    narrows_models::migrations!()
}
";

const MODELS: &str = r#"//! Its models.

pub mod room {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        FIELDS
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// All of them.
pub fn all() -> narrows_models::Models {
    narrows_models::Models::new().entity(room::Entity)
}
"#;

impl Site {
    fn new() -> Self {
        // Always the same folder, so that what is built of it takes the place of what was built last time.
        let site = Self { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("narrows-models-site") };
        if site.folder.exists() {
            fs::remove_dir_all(&site.folder).unwrap();
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = here.ancestors().nth(2).unwrap();
        // The features of the dependencies are those of this test, so that nothing of them is built anew.
        let manifest = format!(
            "[package]\nname = \"narrows-models-site\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             narrows-models = {{ path = {here:?}, features = [\"sqlite\", \"postgres\", \"mysql\"] }}\n\
             rig = {{ path = {:?} }}\nprograms = {{ path = {:?} }}\nproptest = \"1.12\"\ntempfile = \"3.27\"\n\
             sea-orm = {{ version = \"2.0.4\", default-features = false, features = [\"macros\"] }}\n\
             tokio = {{ version = \"1.54\", features = [\"macros\", \"rt-multi-thread\", \"test-util\"] }}\n",
            workspace.join("tools/rig"),
            workspace.join("tools/programs"),
        );
        let root = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/site\"]\n\n[profile.dev]\n\
                    debug = false\n\n[profile.dev.package.\"*\"]\ndebug = false\n";
        fs::create_dir_all(site.path("crates/site/src/chat")).unwrap();
        fs::copy(workspace.join("Cargo.lock"), site.path("Cargo.lock")).unwrap();
        site.write("Cargo.toml", root);
        site.write("crates/site/Cargo.toml", &manifest);
        site.write("crates/site/src/main.rs", MAIN);
        site.write("crates/site/src/chat/mod.rs", CHAT);
        site
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn models(&self, fields: &str) {
        self.write("crates/site/src/chat/models.rs", &MODELS.replace("FIELDS", fields));
    }

    /// Builds the program and runs it with these words.
    fn run(&self, args: &[&str]) -> String {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--quiet", "--offline", "--target-dir"]).arg(target).arg("--").args(args);
        told(args, &cargo.current_dir(&self.folder).output().unwrap())
    }
}

fn told(args: &[&str], output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {stdout}{stderr}");
    stdout.into_owned()
}

#[test]
fn a_project_makes_its_migrations_builds_them_and_applies_them() {
    let site = Site::new();
    site.models("pub name: String, pub topic: Option<String>");
    site.run(&["makemigrations"]);
    assert_eq!(site.run(&["makemigrations"]), "No changes detected.\n");
    site.run(&["migrate"]);
    site.run(&["sql", "INSERT INTO chat_room (name, topic) VALUES ('lobby', NULL)"]);

    site.models(
        "#[sea_orm(unique, renamed_from = \"name\")] pub title: String, \
         #[sea_orm(default_value = 18)] pub age: i32, pub topic: String, \
         #[sea_orm(default_expr = \"Expr::current_timestamp()\")] pub made_at: DateTimeUtc",
    );
    let made = site.run(&["makemigrations", "--fill", "chat_room.topic=all"]);

    assert!(made.contains("renames `name` of `room` to `title`"), "{made}");
    assert_eq!(site.run(&["makemigrations", "--check"]), "No changes detected.\n");
    site.run(&["migrate"]);
    let rows = site.run(&["sql", "SELECT title || age || topic FROM chat_room"]);
    assert_eq!(rows, "lobby18all\n");
    site.run(&["migrate", "chat", "--to", "0001_initial"]);
    assert_eq!(site.run(&["sql", "SELECT name FROM chat_room"]), "lobby\n");
}
