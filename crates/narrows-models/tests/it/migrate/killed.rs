//! A process that is killed while it migrates.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use narrows_models::migration::{Column, Migration, Operation, Run, RunFn};
use narrows_models::sea_orm::{ConnectionTrait, DbBackend};
use narrows_models::{Migrations, Migrator};

use super::site::{Site, connect, on_every_database, table};
use super::structure::{rows, structure};

const URL: &str = "NARROWS_TEST_MIGRATES";
const READY: &str = "in the middle of it";

/// A column is added, and rows are changed by code; which then goes on, or stays there.
fn all(stays: bool) -> [Migration; 2] {
    let code: RunFn = Arc::new(move |transaction| {
        Box::pin(async move {
            transaction.execute_unprepared("UPDATE person SET age = age + 1").await?;
            if stays {
                println!("{READY}");
                std::io::stdout().flush().unwrap();
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    });
    let person = table().column(Column::varchar("name", 20)).column(Column::integer("age").default(30));
    let second = Migration::new("0002_town")
        .add_column("person", Column::varchar("town", 20).default("Rome"))
        .alter_column("person", Column::varchar("name", 40))
        .operation(Operation::Run(Run { forwards: Some(code), backwards: None }));
    [Migration::new("0001_initial").create_table("person", person), second]
}

#[tokio::test]
#[ignore = "the process that the others here start and kill"]
async fn a_process_of_its_own() {
    let connection = connect(&env::var(URL).unwrap()).await;
    let migrations = Migrations::new("", "", all(true).to_vec());
    Migrator::new(&connection).app("app", migrations).migrate().await.unwrap();
}

async fn a_process_that_is_killed_leaves_nothing_or_what_the_next_one_goes_on_with(site: Site) {
    site.migrate(&all(true)[..1]).await.unwrap();
    site.execute("INSERT INTO person (name) VALUES ('Ada')").await;
    let before = structure(&site).await;
    kill(started(&site.url));
    let half = site.migrator(&all(false)).status().await.unwrap()[1].half;
    if site.backend() == DbBackend::MySql {
        assert_eq!(half, Some(2));
    } else {
        assert_eq!((structure(&site).await, half), (before, None));
    }
    assert_eq!(rows(&site, "person", &["id", "name", "age"]).await, ["1|Ada|30"]);
    assert_eq!(site.migrate(&all(false)).await.unwrap(), ["0002_town"]);
    assert_eq!(rows(&site, "person", &["id", "name", "age", "town"]).await, ["1|Ada|31|Rome"]);
}

/// In the middle of its migration.
fn started(url: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "migrate::killed::a_process_of_its_own", "--ignored", "--nocapture"]);
    let mut child = command.env(URL, url).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.map(Result::unwrap).any(|line| line.contains(READY));
    assert!(ready, "it ended: {:?}", child.wait());
    child
}

/// By SIGKILL.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

on_every_database!(a_process_that_is_killed_leaves_nothing_or_what_the_next_one_goes_on_with,);
