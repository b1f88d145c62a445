//! What a migration leaves that fails, or whose process is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use narrows_models::migration::{Column, Index, Migration, Operation, Run};
use narrows_models::sea_orm::{ConnectionTrait, DbBackend, DbErr, TransactionTrait};
use narrows_models::{MigrateError, Migrations, Migrator};

use super::site::{Server, Site, connect, on_every_database, table};
use super::structure::structure;

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
    let text: String = all[1].operations().iter().map(|operation| format!("{operation:?};")).collect();
    let print = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // As if it had been in the middle of it; without that word it is an error.
    site.migrate(&all).await.unwrap_err();
    site.execute(&format!("UPDATE narrows_migration_progress SET unsure = 1, operations = '{print:016x}'"))
        .await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002_more"]);
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
        DbBackend::Sqlite => ("CREATE TABLE busy (x int)", "DROP TABLE busy"),
        DbBackend::Postgres => {
            ("SELECT pg_advisory_lock(7953764252700469106)", "SELECT pg_advisory_unlock(7953764252700469106)")
        }
        _ => (
            "SELECT GET_LOCK(LEFT(CONCAT('narrows migrate ', DATABASE()), 64), 0)",
            "SELECT RELEASE_LOCK(LEFT(CONCAT('narrows migrate ', DATABASE()), 64))",
        ),
    };
    holder.execute_unprepared(lock).await.unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let counted = told.clone();
    let migrator = site.migrator(&[person()]).lock_wait(Duration::from_secs(1)).on_notice(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let error = migrator.migrate().await.unwrap_err();
    let MigrateError::Locked { holder: who, .. } = &error else { panic!("{error:?}") };
    assert_eq!(who.is_some(), site.backend() != DbBackend::Sqlite, "{error}");
    assert_eq!(told.load(Ordering::Relaxed), 1);
    holder.execute_unprepared(unlock).await.unwrap();
    holder.rollback().await.unwrap();
    assert_eq!(site.migrate(&[person()]).await.unwrap(), ["0001_initial"]);
}

/// The future is dropped, and what it began is done.
async fn a_migration_goes_on_when_nobody_waits_for_it_any_more(site: Site) {
    let all = [person()];
    let mut migrating = Box::pin(site.migrator(&all).migrate());
    assert!(futures_poll_once(migrating.as_mut()).await.is_none());
    drop(migrating);
    // It waits for the lock behind the first one, or does it.
    site.migrate(&all).await.unwrap();
    site.execute("INSERT INTO person (name) VALUES ('Ada')").await;
    assert_eq!(site.migrator(&all).status().await.unwrap().iter().filter(|status| status.applied).count(), 1);
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
);
