//! What a migration leaves that fails, or whose process is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narrows_models::migrate::{Notice, Target};
use narrows_models::migration::{Column, ForeignKey, Index, Migration, Operation, Run};
use narrows_models::sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, TransactionTrait};
use narrows_models::{MigrateError, Migrations, Migrator};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::site::{Server, Site, connect, on_every_database, table};
use super::structure::structure;

/// "narrmigr" in ASCII.
const POSTGRES_LOCK: i64 = 0x6e61_7272_6d69_6772;

fn person() -> Migration {
    Migration::new("0001_initial").create_table("person", table().column(Column::varchar("name", 20)))
}

/// Three steps, of which the last one fails as long as two rows have one name.
fn steps() -> [Migration; 2] {
    let second = Migration::new("0002_more")
        .add_column("person", Column::integer("age").default(3))
        .sql("UPDATE person SET age = age + 1")
        .add_index("person", Index::unique("uniq-person-name", ["name"]));
    [person(), second]
}

async fn a_migration_that_fails_leaves_nothing_or_goes_on_where_it_failed(site: Site) {
    let all = steps();
    site.migrate(&all[..1]).await.unwrap();
    site.execute("INSERT INTO person (name) VALUES ('Ada'), ('Ada')").await;
    let before = structure(&site).await;
    let error = site.migrate(&all).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("app.0002_more failed at operation 3 of 3, add the unique index `uniq-person-name`"),
        "{text}"
    );
    if site.backend() == DbBackend::MySql {
        assert!(text.contains("operations 1 to 2 are in effect"), "{text}");
        assert_eq!(half(&site, &all).await, [None, Some(2)]);
    } else {
        assert_eq!(structure(&site).await, before);
        assert_eq!(half(&site, &all).await, [None, None]);
    }
    site.execute("UPDATE person SET name = 'Ben' WHERE id = 2").await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_more"]);
    // Its second step was taken once.
    assert_eq!(site.texts("SELECT name FROM person WHERE age = 4 ORDER BY id").await, ["Ada", "Ben"]);
    assert!(site.try_execute("INSERT INTO person (name) VALUES ('Ada')").await.is_err());
}

async fn half(site: &Site, all: &[Migration]) -> Vec<Option<usize>> {
    site.migrator(all).status().await.unwrap().into_iter().map(|status| status.half).collect()
}

/// Back from the middle; and not on with other steps than those that were taken.
async fn a_migration_that_stopped_half_way_can_be_taken_back_but_not_be_another_one(site: Site) {
    let [first, second] = steps();
    let second = Migration::new("0002_more")
        .add_column("person", Column::integer("born").null())
        .operation(second.operations()[2].clone());
    let all = [first.clone(), second];
    site.migrate(&all[..1]).await.unwrap();
    site.execute("INSERT INTO person (name) VALUES ('Ada'), ('Ada')").await;
    let before = structure(&site).await;
    site.migrate(&all).await.unwrap_err();
    let other = [first, Migration::new("0002_more").add_column("person", Column::text("else").null())];
    let changed = site.migrate(&other).await;
    if site.backend() == DbBackend::MySql {
        assert!(matches!(changed.unwrap_err(), MigrateError::Changed { operation: 2, .. }));
        assert_eq!(site.to(&all, "0001").await.unwrap(), ["0002_more"]);
        assert_eq!(structure(&site).await, before);
        site.execute("UPDATE person SET name = 'Ben' WHERE id = 2").await;
        assert_eq!(site.migrate(&all).await.unwrap(), ["0002_more"]);
    } else {
        assert_eq!(changed.unwrap(), ["0002_more"]);
    }
}

/// A process ended after the database had done a statement, and before it could say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_was_done_by_a_process_that_is_gone_counts_as_done() {
    let Some(server) = Server::mariadb() else { return };
    let site = server.site().await;
    let all = steps();
    site.migrate(&all[..1]).await.unwrap();
    site.execute("INSERT INTO person (name) VALUES ('Ada'), ('Ada')").await;
    site.migrate(&all).await.unwrap_err();
    site.execute("UPDATE person SET name = 'Ben' WHERE id = 2").await;
    site.execute("CREATE UNIQUE INDEX `uniq-person-name` ON person (name)").await;
    // As if it had been in the middle of it; without that word it is an error.
    site.migrate(&all).await.unwrap_err();
    in_the_middle(&site, &all[1], 2).await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_more"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_key_that_was_made_by_a_process_that_is_gone_counts_as_made() {
    let Some(server) = Server::mariadb() else { return };
    let site = server.site().await;
    let key = ForeignKey::new("fk-friend", ["friend_id"], "person", ["id"]);
    let friend = Migration::new("0002_friend").add_column("person", Column::big_integer("friend_id").null());
    let all = [person(), friend.add_foreign_key("person", key)];
    site.migrate(&all[..1]).await.unwrap();
    site.execute("ALTER TABLE person ADD COLUMN friend_id bigint NULL").await;
    site.execute(
        "ALTER TABLE person ADD CONSTRAINT `fk-friend` FOREIGN KEY (friend_id) REFERENCES person (id)",
    )
    .await;
    in_the_middle(&site, &all[1], 1).await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_friend"]);
    assert_eq!(site.to(&all, "zero").await.unwrap(), ["0002_friend", "0001_initial"]);
}

/// As a process leaves it that was killed in an operation, after so many others.
async fn in_the_middle(site: &Site, migration: &Migration, done: usize) {
    let begun = &migration.operations()[..=done];
    let text: String = begun.iter().map(|operation| format!("{operation:?};")).collect();
    let print = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let name = migration.name();
    site.execute(&format!(
        "REPLACE INTO narrows_migration_progress (app, name, done, statements, forwards, unsure, operations) \
         VALUES ('app', '{name}', {done}, 0, 1, 1, '{print:016x}')"
    ))
    .await;
}

/// Of several statements the first was done when the process ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_of_which_a_part_was_done_does_not_count_as_done() {
    let Some(server) = Server::mariadb() else { return };
    let site = server.site().await;
    let script = "CREATE TABLE pet (name varchar(9)); INSERT INTO person (name) VALUES ('Ada')";
    let all = [person(), Migration::new("0002_pets").sql(script)];
    site.migrate(&all[..1]).await.unwrap();
    site.execute("CREATE TABLE pet (name varchar(9))").await;
    in_the_middle(&site, &all[1], 0).await;
    let error = site.migrate(&all).await.unwrap_err();
    assert!(error.to_string().starts_with("app.0002_pets failed at operation 1 of 1, run SQL"), "{error}");
    assert!(site.texts("SELECT name FROM person").await.is_empty());
    site.execute("DROP TABLE pet").await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_pets"]);
    assert_eq!(site.texts("SELECT name FROM person").await, ["Ada"]);
}

/// What has no way back was not done, so it needs none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stopped_before_a_step_without_a_way_back_can_be_taken_back() {
    let Some(server) = Server::mariadb() else { return };
    let site = server.site().await;
    let second = Migration::new("0002_more")
        .add_column("person", Column::integer("age").null())
        .sql("UPDATE nobody SET age = 1");
    let all = [person(), second];
    site.migrate(&all[..1]).await.unwrap();
    let before = structure(&site).await;
    site.migrate(&all).await.unwrap_err();
    assert_ne!(structure(&site).await, before);
    let target = || Target::To { app: "app".into(), name: "0001".into() };
    let planned = site.migrator(&all).target(target()).plan().await.unwrap();
    assert_eq!(planned[0].operations.len(), 1);
    assert_eq!(site.to(&all, "0001").await.unwrap(), ["0002_more"]);
    assert_eq!(structure(&site).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_names_no_database_is_an_error_that_says_so() {
    let Some(server) = Server::mariadb() else { return };
    let url = server.site().await.url;
    let connection = connect(&url[..url.rfind('/').unwrap()]).await;
    let migrations = Migrations::new("", "", vec![person()]);
    let error = Migrator::new(&connection).app("app", migrations).migrate().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("names a server, and no database of it"), "{source}");
}

/// So that it also goes where a pooler gives each transaction another session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_postgresql_belongs_to_the_transaction() {
    let Some(server) = Server::postgres() else { return };
    let site = server.site().await;
    let looks: narrows_models::migration::RunFn = Arc::new(|transaction| {
        Box::pin(async move {
            // It gives up a lock of the session, if there is one, and tries whether there is one of the transaction.
            let unlocked = format!("SELECT pg_advisory_unlock({POSTGRES_LOCK})");
            let row =
                transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, unlocked)).await?;
            assert!(!row.unwrap().try_get_by_index::<bool>(0)?);
            let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
            let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, held)).await?;
            assert_eq!(row.unwrap().try_get_by_index::<i64>(0)?, 1);
            Ok(())
        })
    });
    let looks = Operation::Run(Run { forwards: Some(looks), backwards: None });
    site.migrate(&[person(), Migration::new("0002_looks").operation(looks)]).await.unwrap();
}

/// What was so before it waited is not what counts, whatever transactions are by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waited_sees_what_the_other_one_did() {
    let Some(server) = Server::postgres() else { return };
    let site = server.site().await;
    let other = site.connection.begin().await.unwrap();
    other.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")).await.unwrap();
    let strict = "EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database())";
    site.execute(&format!("DO $$ BEGIN {strict}; END $$")).await;
    let (tell, mut told) = unbounded_channel();
    let migrator =
        Migrator::new(&connect(&site.url).await).app("app", Migrations::new("", "", vec![person()]));
    let migrator = migrator.on_notice(move |notice| drop(tell.send(notice)));
    let migrating = tokio::spawn(migrator.migrate());
    until(&mut told, |notice| matches!(notice, Notice::Waiting { .. })).await;
    let done = "CREATE TABLE narrows_migration (app text, name text, applied_at timestamptz, PRIMARY KEY (app, name)); \
                INSERT INTO narrows_migration VALUES ('app', '0001_initial', now())";
    other.execute_unprepared(done).await.unwrap();
    other.commit().await.unwrap();
    assert!(migrating.await.unwrap().unwrap().done.is_empty());
}

/// Without a WAL whoever reads holds up the commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_for_a_while_holds_up_a_migration_of_sqlite_and_does_not_break_it() {
    let site = Site::sqlite().await;
    site.migrate(&[person()]).await.unwrap();
    let reader = connect(&site.url).await.begin().await.unwrap();
    let select = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM person");
    reader.query_all_raw(select).await.unwrap();
    let (tell, mut told) = unbounded_channel();
    let migrator = site.migrator(&steps()).on_notice(move |notice| drop(tell.send(notice)));
    let migrating = tokio::spawn(migrator.migrate());
    until(&mut told, |notice| matches!(notice, Notice::Begins { .. })).await;
    // As long as a long query takes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    reader.rollback().await.unwrap();
    assert_eq!(migrating.await.unwrap().unwrap().done.len(), 1);
}

/// Neither the lock nor the settings of the connection stay.
async fn whoever_is_told_may_panic(site: Site) {
    let all = [person(), Migration::new("0002").alter_column("person", Column::text("name"))];
    site.migrate(&all[..1]).await.unwrap();
    let before = structure(&site).await;
    let told = |notice| assert!(!matches!(notice, Notice::Begins { .. }), "told of it");
    let error = site.migrator(&all).on_notice(told).migrate().await.unwrap_err();
    assert_eq!(error.to_string(), "the migration was broken off: told of it");
    assert_eq!(structure(&site).await, before);
    let other = Migrator::new(&connect(&site.url).await).app("app", Migrations::new("", "", all.to_vec()));
    assert_eq!(other.lock_wait(Duration::from_secs(5)).migrate().await.unwrap().done.len(), 1);
}

fn code(run: impl Fn() -> Result<(), DbErr> + Send + Sync + Copy + 'static) -> Operation {
    let forwards: narrows_models::migration::RunFn = Arc::new(move |transaction| {
        Box::pin(async move {
            transaction.execute_unprepared("INSERT INTO person (name) VALUES ('by code')").await?;
            run()
        })
    });
    Operation::Run(Run { forwards: Some(forwards.clone()), backwards: Some(forwards) })
}

/// Code that fails, and code that panics: its rows are gone, and the connection is as it was.
async fn code_that_fails_or_panics_leaves_no_rows(site: Site) {
    let fails = code(|| Err(DbErr::Custom("no".into())));
    let panics = code(|| panic!("the code is wrong"));
    site.migrate(&[person()]).await.unwrap();
    for (operation, says) in [(fails, "no"), (panics, "the code is wrong")] {
        let all = [person(), Migration::new("0002_code").operation(operation)];
        let error = site.migrate(&all).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains("0002_code failed at operation 1 of 1, run code"), "{error}");
        assert!(source.contains(says), "{source}");
        assert!(site.texts("SELECT name FROM person").await.is_empty());
    }
    let all = [person(), Migration::new("0002_code").operation(code(|| Ok(())))];
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_code"]);
    assert_eq!(site.to(&all, "0001").await.unwrap(), ["0002_code"]);
    assert_eq!(site.texts("SELECT name FROM person").await.len(), 2);
}

/// Several processes begin at once: each migration is applied once, and each of them is told that all is well.
async fn several_that_begin_at_once_migrate_once(site: Site) {
    let fill = |number: u32| format!("INSERT INTO person (name) VALUES ('{number}')");
    let mut all = vec![person()];
    all.extend((2..6).map(|number| Migration::new(&format!("{number:04}_row")).sql(fill(number).as_str())));
    let mut running = Vec::new();
    for _ in 0..4 {
        let (url, all) = (site.url.clone(), all.clone());
        running.push(tokio::spawn(async move {
            let connection = connect(&url).await;
            let migrator = Migrator::new(&connection).app("app", Migrations::new("", "", all));
            migrator.migrate().await.unwrap().done.len()
        }));
    }
    let mut done = 0;
    for one in running {
        done += one.await.unwrap();
    }
    assert_eq!(done, 5);
    assert_eq!(site.texts("SELECT name FROM person ORDER BY name").await, ["2", "3", "4", "5"]);
}

/// Whoever waits too long is told who migrates, and may be dropped.
async fn a_lock_that_is_held_too_long_is_an_error_that_says_who_holds_it(site: Site) {
    let holder = connect(&site.url).await.begin().await.unwrap();
    let (lock, unlock) = match site.backend() {
        DbBackend::Sqlite => ("CREATE TABLE busy (x int)".to_owned(), "DROP TABLE busy".to_owned()),
        DbBackend::Postgres => (
            format!("SELECT pg_advisory_lock({POSTGRES_LOCK})"),
            format!("SELECT pg_advisory_unlock({POSTGRES_LOCK})"),
        ),
        _ => (
            "SELECT GET_LOCK(LEFT(CONCAT('narrows migrate ', DATABASE()), 64), 0)".to_owned(),
            "SELECT RELEASE_LOCK(LEFT(CONCAT('narrows migrate ', DATABASE()), 64))".to_owned(),
        ),
    };
    holder.execute_unprepared(&lock).await.unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let counted = told.clone();
    let migrator = site.migrator(&[person()]).lock_wait(Duration::from_secs(1)).on_notice(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let error = migrator.migrate().await.unwrap_err();
    let MigrateError::Locked { holder: who, .. } = &error else { panic!("{error:?}") };
    assert_eq!(who.is_some(), site.backend() != DbBackend::Sqlite, "{error}");
    assert_eq!(told.load(Ordering::Relaxed), 1);
    holder.execute_unprepared(&unlock).await.unwrap();
    holder.rollback().await.unwrap();
    assert_eq!(site.migrate(&[person()]).await.unwrap(), ["0001_initial"]);
}

/// The future is dropped, and what it began is done.
async fn a_migration_goes_on_when_nobody_waits_for_it_any_more(site: Site) {
    let (tell, mut told) = unbounded_channel();
    let migrator = site.migrator(&[person()]).on_notice(move |notice| drop(tell.send(notice)));
    let mut migrating = Box::pin(migrator.migrate());
    assert!(futures_poll_once(migrating.as_mut()).await.is_none());
    drop(migrating);
    until(&mut told, |notice| matches!(notice, Notice::Ended(_))).await;
    site.execute("INSERT INTO person (name) VALUES ('Ada')").await;
}

async fn until(told: &mut UnboundedReceiver<Notice>, is: impl Fn(&Notice) -> bool) {
    while !is(&told.recv().await.expect("it is broken off")) {}
}

async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

on_every_database!(
    a_migration_that_fails_leaves_nothing_or_goes_on_where_it_failed,
    a_migration_that_stopped_half_way_can_be_taken_back_but_not_be_another_one,
    code_that_fails_or_panics_leaves_no_rows,
    several_that_begin_at_once_migrate_once,
    a_lock_that_is_held_too_long_is_an_error_that_says_who_holds_it,
    a_migration_goes_on_when_nobody_waits_for_it_any_more,
    whoever_is_told_may_panic,
);
