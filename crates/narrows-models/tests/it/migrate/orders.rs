//! Which migrations are applied, and in which order.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use narrows_models::migrate::Target;
use narrows_models::migration::{Column, ForeignKey, Index, Migration, Migrations};
use narrows_models::sea_orm::Database;
use narrows_models::{Commands, MigrateError, Migrator, Models};

use super::site::{Site, on_every_database, table};
use super::structure::structure;

fn list(all: impl IntoIterator<Item = Migration>) -> Migrations {
    Migrations::new("", "", all.into_iter().collect())
}

fn empty(name: &str) -> Migration {
    Migration::new(name)
}

/// Its name and its migrations.
type App = (&'static str, Vec<Migration>);

async fn site_of(apps: &[App]) -> (Site, Migrator) {
    let site = Site::sqlite().await;
    let migrator = Migrator::new(&site.connection);
    let migrator = apps.iter().fold(migrator, |migrator, (app, all)| migrator.app(app, list(all.clone())));
    (site, migrator)
}

fn names(done: Vec<narrows_models::migrate::Done>) -> Vec<String> {
    done.into_iter()
        .map(|done| format!("{}{}.{}", if done.forwards { "" } else { "-" }, done.app, done.name))
        .collect()
}

/// `b` comes first in the list, and after the first of `a`.
fn two_apps() -> [App; 2] {
    [
        ("b", vec![empty("0001").after("a", "0001"), empty("0002")]),
        ("a", vec![empty("0001"), empty("0002").after("b", "0001")]),
    ]
}

#[tokio::test]
async fn migrations_come_after_those_of_other_apps_that_they_name() {
    let (_site, migrator) = site_of(&two_apps()).await;
    let to = |app: &str, name: &str| Target::To { app: app.into(), name: name.into() };
    let done = migrator.clone().target(Target::App("a".into())).migrate().await.unwrap();
    assert_eq!(names(done.done), ["a.0001", "b.0001", "a.0002"]);
    let done = migrator.clone().target(to("a", "0001")).migrate().await.unwrap();
    assert_eq!(names(done.done), ["-a.0002"]);
    assert_eq!(names(migrator.clone().migrate().await.unwrap().done), ["b.0002", "a.0002"]);
    let done = migrator.clone().target(Target::Zero { app: "a".into() }).migrate().await.unwrap();
    assert_eq!(names(done.done), ["-a.0002", "-b.0002", "-b.0001", "-a.0001"]);
    let planned = migrator.target(to("b", "0001")).plan().await.unwrap();
    assert_eq!(planned.iter().map(|one| one.app.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_that_says_what() {
    let cases: [(&[App], &str); 4] = [
        (&[("a", vec![empty("1").after("b", "2")])], "a.1 comes after b.2, which is not there"),
        (
            &[("a", vec![empty("1").after("b", "1")]), ("b", vec![empty("1").after("a", "1")])],
            "migrations come after each other: a.1 after b.1 after a.1",
        ),
        (&[("a", vec![empty("1"), empty("1")])], "`a.1` is there twice"),
        (&[("a", vec![empty("1").drop_table("x")])], "operation 1 of a.1, drop the table `x`, does not fit"),
    ];
    for (apps, text) in cases {
        let (_site, migrator) = site_of(apps).await;
        assert_eq!(migrator.migrate().await.unwrap_err().to_string(), text);
    }
    let (_site, migrator) = site_of(&two_apps()).await;
    for (app, name, says) in
        [("c", "1", "no app `c`"), ("a", "1", "no migration `1`"), ("a", "000", "several migrations")]
    {
        let target = Target::To { app: app.into(), name: name.into() };
        let error = migrator.clone().target(target).migrate().await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_migration_put_before_one_that_is_applied_is_an_error_until_it_is_recorded() {
    let site = Site::sqlite().await;
    site.migrate(&[empty("0001"), empty("0003")]).await.unwrap();
    let all = [empty("0001"), empty("0002"), empty("0003")];
    let error = site.migrate(&all).await.unwrap_err();
    assert!(
        error.to_string().starts_with("app.0003 is applied, but app.0002, which comes before it, is not"),
        "{error}"
    );
    let faked = site.migrator(&all).fake(true).migrate().await.unwrap();
    assert_eq!(names(faked.done), ["app.0002"]);
    assert!(site.migrate(&all).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_migration_that_only_the_database_knows_is_told_and_nothing_is_put_on_top_of_it() {
    let site = Site::sqlite().await;
    site.migrate(&[empty("0001"), empty("0002")]).await.unwrap();
    let report = site.migrator(&[empty("0001")]).migrate().await.unwrap();
    assert_eq!(report.gone, [("app".to_owned(), "0002".to_owned())]);
    let error = site.migrate(&[empty("0001"), empty("0002_other")]).await.unwrap_err();
    assert!(matches!(error, MigrateError::Gone { .. }), "{error}");
    let status = site.migrator(&[empty("0001")]).status().await.unwrap();
    assert_eq!((status[1].applied, status[1].known), (true, false));
}

/// Tables that were there before the migrations were.
async fn tables_that_are_there_count_as_the_first_migration_where_they_are_the_same(site: Site) {
    let person = table().column(Column::varchar("name", 20)).column(Column::date_time("since").null());
    let first = Migration::new("0001_initial")
        .create_table("person", person)
        .add_index("person", Index::new("idx-name", ["name"]));
    let all = [first, Migration::new("0002_age").add_column("person", Column::integer("age").null())];
    site.migrate(&all[..1]).await.unwrap();
    site.execute("DELETE FROM narrows_migration").await;
    let report = site.migrator(&all).fake_initial(true).migrate().await.unwrap();
    assert_eq!(report.done.iter().map(|done| done.faked).collect::<Vec<_>>(), [true, false]);
    site.execute("DELETE FROM narrows_migration").await;
    let error = site.migrator(&all).fake_initial(true).migrate().await.unwrap_err();
    assert!(error.to_string().ends_with("`person` has a further column `age`"), "{error}");
    site.execute("DROP TABLE person").await;
    let other = table().column(Column::integer("name")).column(Column::date_time("since").null());
    site.migrator(&[Migration::new("x").create_table("person", other)]).migrate().await.unwrap();
    site.execute("DELETE FROM narrows_migration").await;
    let error = site.migrator(&all).fake_initial(true).migrate().await.unwrap_err();
    assert!(error.to_string().contains("`name` of `person` is"), "{error}");
}

/// Two tables that point at each other, of two apps, come and go.
async fn tables_that_point_at_each_other_come_and_go(site: Site) {
    let to = |name: &str, column: &str, table: &str| ForeignKey::new(name, [column], table, ["id"]);
    let a = table().column(Column::big_integer("b_id").null());
    let b = table().column(Column::big_integer("a_id")).foreign_key(to("fk-b-a", "a_id", "a"));
    let first = vec![
        Migration::new("0001").create_table("a", a),
        Migration::new("0002").add_foreign_key("a", to("fk-a-b", "b_id", "b")).after("two", "0001"),
    ];
    let second = vec![Migration::new("0001").create_table("b", b).after("one", "0001")];
    let migrator = Migrator::new(&site.connection).app("one", list(first)).app("two", list(second));
    assert_eq!(names(migrator.clone().migrate().await.unwrap().done), ["one.0001", "two.0001", "one.0002"]);
    site.execute("INSERT INTO a (b_id) VALUES (NULL)").await;
    site.execute("INSERT INTO b (a_id) VALUES (1)").await;
    site.execute("UPDATE a SET b_id = 1").await;
    assert!(site.try_execute("UPDATE a SET b_id = 2").await.is_err());
    migrator.clone().target(Target::Zero { app: "one".into() }).migrate().await.unwrap();
    assert!(structure(&site).await.is_empty());
    assert_eq!(migrator.migrate().await.unwrap().done.len(), 3);
}

#[tokio::test]
async fn what_the_program_makes_is_made_once_and_stays_also_with_one_connection() {
    let connection = Database::connect("sqlite::memory:").await.unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let asks = connection.clone();
    let make = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let asks = asks.clone();
        async move { asks.ping().await }
    };
    let migrator = Migrator::new(&connection)
        .made("accounts", "0001_initial", make)
        .app("chat", list([empty("0001").after("accounts", "0001_initial")]));
    assert_eq!(names(migrator.clone().migrate().await.unwrap().done), ["accounts.0001_initial", "chat.0001"]);
    assert!(migrator.clone().migrate().await.unwrap().done.is_empty());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    let zero = migrator.target(Target::Zero { app: "accounts".into() }).migrate().await;
    assert!(matches!(zero.unwrap_err(), MigrateError::Stays { .. }));
}

async fn says(commands: &Commands, site: &Site, words: &str) -> String {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let mut output = Vec::new();
    match commands.run_to(&site.connection, &words, &mut output).await {
        Ok(_) => String::from_utf8(output).unwrap(),
        Err(error) => format!("{}{}", String::from_utf8(output).unwrap(), error.line()),
    }
}

async fn exit(commands: &Commands, site: &Site, words: &str) -> ExitCode {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    commands.run_to(&site.connection, &words, &mut Vec::new()).await.unwrap()
}

#[tokio::test]
async fn the_commands_say_what_they_do() {
    let site = Site::sqlite().await;
    let person = table().column(Column::varchar("name", 20));
    let all = [Migration::new("0001_initial").create_table("person", person), empty("0002_nothing")];
    let commands = Commands::new().app("chat", Models::new(), list(all)).app("blog", Models::new(), list([]));
    assert_eq!(
        says(&commands, &site, "showmigrations").await,
        "chat\n [ ] 0001_initial\n [ ] 0002_nothing\nblog\n (no migrations)\n"
    );
    let plan = says(&commands, &site, "migrate --sql").await;
    assert!(
        plan.contains(
            "-- Apply chat.0001_initial\n--     create the table `person`\nCREATE TABLE \"person\""
        ),
        "{plan}"
    );
    assert_eq!(
        says(&commands, &site, "migrate chat 0001 --plan").await,
        "Apply chat.0001_initial\n    create the table `person`\n"
    );
    assert_eq!(
        says(&commands, &site, "migrate chat --to 0001 --fake --plan").await,
        "Apply chat.0001_initial\n"
    );
    assert_eq!(exit(&commands, &site, "migrate --check").await, ExitCode::FAILURE);
    let done = says(&commands, &site, "migrate").await;
    assert!(done.starts_with("Applying chat.0001_initial… done (") && done.ends_with(" ms)\n"), "{done}");
    assert_eq!(says(&commands, &site, "migrate").await, "Nothing to migrate.\n");
    assert_eq!(exit(&commands, &site, "migrate --check").await, ExitCode::SUCCESS);
    assert_eq!(
        says(&commands, &site, "showmigrations chat").await,
        "chat\n [X] 0001_initial\n [X] 0002_nothing\n"
    );
    assert!(
        says(&commands, &site, "migrate chat --to zero")
            .await
            .starts_with("Taking back chat.0002_nothing… done (")
    );
    assert_eq!(
        says(&commands, &site, "migrate chat --fake --to 0001").await,
        "Applying chat.0001_initial… recorded only\n"
    );
    for (words, error) in [
        ("migrate --to 1", "needs the app"),
        ("migrate -x", "does not know `-x`"),
        ("showmigrations x", "no app `x`"),
        ("fly", "no command `fly`"),
    ] {
        assert!(says(&commands, &site, words).await.contains(error), "{words}");
    }
}

on_every_database!(
    tables_that_are_there_count_as_the_first_migration_where_they_are_the_same,
    tables_that_point_at_each_other_come_and_go,
);
