//! Files as they are written, built into this very program, which goes on with them.

mod chat;

use std::fs;
use std::path::Path;

use narrows_models::commands::{AppModels, make};
use narrows_models::sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use narrows_models::{Commands, Migrations, Models};
use tempfile::TempDir;

/// What `makemigrations` wrote, on the first day and on the second.
const WRITTEN: [(&str, &str); 5] = [
    ("mod.rs", include_str!("chat/mod.rs")),
    ("migrations/mod.rs", include_str!("chat/migrations/mod.rs")),
    ("migrations/m0001_initial.rs", include_str!("chat/migrations/m0001_initial.rs")),
    ("migrations/m0002_second_day.rs", include_str!("chat/migrations/m0002_second_day.rs")),
    ("migrations/snapshot.json", include_str!("chat/migrations/snapshot.json")),
];

/// The app as somebody wrote it, in a folder of its own with this workspace's style.
fn before() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rustfmt.toml");
    fs::copy(style, folder.path().join("rustfmt.toml")).unwrap();
    let written = WRITTEN[0].1.replace("mod migrations;\n", "");
    let text = written.replace("migrations::all()", "narrows_models::migrations!()");
    assert!(text.contains("narrows_models::migrations!()"), "{text}");
    fs::create_dir_all(folder.path().join("src/chat")).unwrap();
    fs::write(folder.path().join("src/chat/mod.rs"), text).unwrap();
    folder
}

/// Makes migrations by a program that was built in the folder, with what this one was built with.
fn make(folder: &TempDir, models: Models, file: &str, known: usize, args: &[&str]) {
    let source = format!("{}|src/chat/{file}", folder.path().display());
    let snapshot = fs::read_to_string(folder.path().join("src/chat/migrations/snapshot.json"));
    let all = chat::migrations().into_all().into_iter().take(known).collect();
    let migrations = Migrations::new(&source, &snapshot.unwrap_or_default(), all);
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    make::run_with(&[AppModels::new("chat", models, migrations)], &args, None).unwrap();
}

#[test]
fn what_is_written_is_what_this_program_is_built_with() {
    let folder = before();

    make(&folder, chat::models::first(), "mod.rs", 0, &[]);
    let fill = "--fill=chat_room.topic=all \"rooms\"";
    make(&folder, chat::models::second(), "migrations/mod.rs", 1, &["--name", "second_day", fill]);

    for (file, built) in WRITTEN {
        let written = fs::read_to_string(folder.path().join("src/chat").join(file)).unwrap();
        assert_eq!(written, built, "{file}");
    }
}

async fn run(db: &DatabaseConnection, args: &str) -> String {
    let commands = Commands::new().app("chat", chat::models::second(), chat::migrations());
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let mut printed = Vec::new();
    commands.run_to(db, &args, &mut printed).await.unwrap();
    String::from_utf8(printed).unwrap()
}

async fn text(db: &DatabaseConnection, sql: &str) -> String {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_program_with_what_was_written_goes_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("db.sqlite3").display());
    let db = Database::connect(url).await.unwrap();

    assert_eq!(run(&db, "makemigrations --check").await, "No changes detected.\n");
    run(&db, "migrate chat 0001_initial").await;
    db.execute_unprepared("INSERT INTO chat_room (name, topic) VALUES ('lobby', NULL)").await.unwrap();
    run(&db, "migrate").await;
    assert_eq!(text(&db, "SELECT title || age || topic FROM chat_room").await, "lobby18all \"rooms\"");
    db.execute_unprepared("UPDATE chat_room SET \"the \"\"größe\"\" of it\" = 7, parent_id = 1")
        .await
        .unwrap();
    db.execute_unprepared("UPDATE chat_room SET parent_id = 2").await.unwrap_err();
    run(&db, "migrate chat 0001").await;
    assert_eq!(text(&db, "SELECT name FROM chat_room").await, "lobby");
}
