//! SQLite tables that are made anew, with what else is in the database.

use narrows_models::migrate::Notice;
use narrows_models::migration::{Action, Column, ForeignKey, Index, Migration};
use narrows_models::sea_orm::{ConnectionTrait, Database};

use super::site::{Site, table};

fn first() -> Migration {
    let town = table().column(Column::varchar("name", 20)).index(Index::new("idx-town", ["name"]));
    let person = table()
        .column(Column::big_integer("town_id"))
        .column(Column::integer("age").null())
        .foreign_key(ForeignKey::new("fk-town", ["town_id"], "town", ["id"]).on_delete(Action::Cascade));
    Migration::new("0001").create_table("town", town).create_table("person", person)
}

/// The table that others point at is made anew.
fn all() -> [Migration; 2] {
    [first(), Migration::new("0002").alter_column("town", Column::varchar("name", 30).default("?"))]
}

async fn site_with(sql: &[&str]) -> Site {
    let site = Site::sqlite().await;
    site.migrate(&[first()]).await.unwrap();
    site.execute("INSERT INTO town (name) VALUES ('Rome'), ('Bern')").await;
    site.execute("INSERT INTO person (town_id, age) VALUES (1, 10), (2, 20)").await;
    for sql in sql {
        site.execute(sql).await;
    }
    site
}

#[tokio::test]
async fn rows_that_point_at_the_table_stay_and_go_on_to_do_so() {
    let site = site_with(&[]).await;
    site.migrate(&all()).await.unwrap();
    assert_eq!(site.texts("SELECT CAST(count(*) AS text) FROM person").await, ["2"]);
    assert!(site.try_execute("INSERT INTO person (town_id) VALUES (9)").await.is_err());
    site.execute("DELETE FROM town WHERE id = 1").await;
    assert_eq!(site.texts("SELECT CAST(town_id AS text) FROM person").await, ["2"]);
}

#[tokio::test]
async fn indexes_triggers_and_views_of_somebody_else_stay_and_work() {
    let made = [
        "CREATE INDEX \"by hand\" ON town (name DESC) WHERE name > 'A'",
        "CREATE TABLE log (what text)",
        "CREATE TRIGGER told AFTER INSERT ON town BEGIN INSERT INTO log VALUES (NEW.name); END",
        "CREATE TRIGGER aged AFTER UPDATE OF age ON person BEGIN UPDATE town SET name = name || '!' WHERE id = NEW.town_id; END",
        "CREATE VIEW names AS SELECT name FROM town",
    ];
    let site = site_with(&made).await;
    site.migrate(&all()).await.unwrap();
    assert!(site.texts("SELECT what FROM log").await.is_empty());
    site.execute("INSERT INTO town (name) VALUES ('Oslo')").await;
    site.execute("UPDATE person SET age = 11 WHERE id = 1").await;
    assert_eq!(site.texts("SELECT what FROM log").await, ["Oslo"]);
    assert_eq!(site.texts("SELECT name FROM names ORDER BY name").await, ["Bern", "Oslo", "Rome!"]);
    let kept = "SELECT sql FROM sqlite_master WHERE name = 'by hand'";
    assert_eq!(site.texts(kept).await, [made[0]]);
}

#[tokio::test]
async fn what_would_be_lost_or_broken_is_refused_and_everything_stays() {
    let rename_all = |operation: Migration| [first(), operation];
    let drop_key = rename_all(Migration::new("0002").drop_column("person", "town_id"));
    let alter_age = rename_all(Migration::new("0002").alter_column("person", Column::text("age").null()));
    let drop_person = rename_all(Migration::new("0002").drop_table("person"));
    let cases: [(&str, [Migration; 2], &str); 13] = [
        ("ALTER TABLE town ADD COLUMN mine text", all(), "`town` would lose the column `mine`"),
        (
            "CREATE TABLE x (id int); DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, \
          name varchar(20) NOT NULL CHECK (name <> ''))",
            all(),
            "`town` would lose what it has with CHECK",
        ),
        (
            "DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(20) NOT NULL UNIQUE)",
            all(),
            "`town` would lose UNIQUE of name",
        ),
        (
            "DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, \
          name varchar(20) NOT NULL REFERENCES person (id))",
            all(),
            "`town` would lose the foreign key to person of name",
        ),
        (
            "DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, \
             name varchar(20) NOT NULL DEFAULT 'x')",
            all(),
            "`town` would lose the default of `name`",
        ),
        (
            "DROP TABLE person; CREATE TABLE person (id integer NOT NULL, town_id bigint NOT NULL REFERENCES town (id), \
             age integer, PRIMARY KEY (id, town_id))",
            alter_age.clone(),
            "`person` would lose the primary key of id, town_id",
        ),
        (
            "DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text AS (id || '!'))",
            all(),
            "`town` would lose what `name` is computed from",
        ),
        (
            "DROP TABLE person; CREATE TABLE person (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, \
             town_id bigint NOT NULL REFERENCES town (id) ON DELETE SET NULL, age integer)",
            alter_age,
            "`person` would lose ON DELETE SET NULL ON UPDATE NO ACTION of the foreign key to town of town_id",
        ),
        ("CREATE VIEW v AS SELECT age FROM person", drop_person, "the view `v` would not work any more"),
        (
            "DROP TABLE town; CREATE TABLE town (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL) STRICT",
            all(),
            "`town` would lose what it has with STRICT",
        ),
        (
            "CREATE VIEW v AS SELECT town_id FROM person",
            drop_key.clone(),
            "the view `v` would not work any more",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON town BEGIN UPDATE person SET town_id = 1; END",
            drop_key.clone(),
            "the trigger `t` would not work any more",
        ),
        ("CREATE INDEX i ON person (town_id)", drop_key, "cannot be made again: CREATE INDEX i"),
    ];
    for (made, all, says) in cases {
        let site = site_with(&["PRAGMA foreign_keys = OFF"]).await;
        let loose = Database::connect(&site.url).await.unwrap();
        loose.execute_unprepared(&format!("PRAGMA foreign_keys = OFF; {made}")).await.unwrap();
        let query = "SELECT sql FROM sqlite_master WHERE name NOT LIKE '%narrows%' ORDER BY name";
        let before = site.texts(query).await;
        let error = site.migrate(&all).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(says), "{made}: {source}");
        assert_eq!(site.texts(query).await, before);
    }
}

#[tokio::test]
async fn rows_that_would_point_at_nothing_are_refused_and_stay() {
    let site = site_with(&[]).await;
    let run = Migration::new("0002")
        .alter_column("town", Column::text("name"))
        .sql("DELETE FROM town WHERE id = 2");
    let error = site.migrate(&[first(), run]).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "row 2 of `person` points at no row of `town`");
    assert_eq!(site.texts("SELECT name FROM town").await, ["Rome", "Bern"]);
    // Foreign keys are enforced again, on all connections of the pool.
    for _ in 0..8 {
        assert!(site.try_execute("INSERT INTO person (town_id) VALUES (9)").await.is_err());
    }
}

/// As many rows point at nothing as before, and not the same.
#[tokio::test]
async fn rows_that_are_mended_excuse_no_others() {
    let pets = "CREATE TABLE pet (town_id bigint REFERENCES town (id))";
    let site = site_with(&[pets]).await;
    let loose = Database::connect(&site.url).await.unwrap();
    loose.execute_unprepared("PRAGMA foreign_keys = OFF; INSERT INTO pet VALUES (9)").await.unwrap();
    let second =
        |sql: &str| [first(), Migration::new("0002").alter_column("town", Column::text("name")).sql(sql)];
    let error = site.migrate(&second("DELETE FROM pet; DELETE FROM town WHERE id = 2")).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "row 2 of `person` points at no row of `town`");
    // What was wrong before is no reason to refuse, by whatever name.
    let renamed =
        Migration::new("0002").alter_column("town", Column::text("name")).rename_table("town", "city");
    assert_eq!(site.migrate(&[first(), renamed]).await.unwrap(), ["0002"]);
}

#[tokio::test]
async fn foreign_keys_are_enforced_again_when_something_panicked() {
    let connection = Database::connect("sqlite::memory:").await.unwrap();
    let migrations = narrows_models::Migrations::new("", "", all().to_vec());
    let migrator = narrows_models::Migrator::new(&connection).app("app", migrations);
    let told = |notice| match notice {
        Notice::Begins { name, .. } if name == "0002" => panic!("told of it"),
        _ => {}
    };
    let error = migrator.clone().on_notice(told).migrate().await.unwrap_err();
    assert_eq!(error.to_string(), "the migration was broken off: told of it");
    let insert = "INSERT INTO person (town_id) VALUES (9)";
    assert!(connection.execute_unprepared(insert).await.unwrap_err().to_string().contains("FOREIGN KEY"));
    assert_eq!(migrator.migrate().await.unwrap().done.len(), 1);
}

#[tokio::test]
async fn a_database_in_memory_has_one_connection_and_is_migrated_too() {
    let connection = Database::connect("sqlite::memory:").await.unwrap();
    let migrations = narrows_models::Migrations::new("", "", all().to_vec());
    let report = narrows_models::Migrator::new(&connection).app("app", migrations).migrate().await.unwrap();
    assert_eq!(report.done.len(), 2);
    connection.execute_unprepared("INSERT INTO town (id) VALUES (1)").await.unwrap();
}
