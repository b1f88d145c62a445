use std::net::{Ipv4Addr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rig::{MariaDb, Postgres};

/// What both of them do, for the tests that both have.
trait Database: Sized {
    fn start() -> Option<Self>;
    fn fresh_database(&self) -> String;
    fn url(&self) -> String;
    fn port(&self) -> u16;
    fn sql(&self, url: &str, text: &str) -> String;
    fn kill(&self);
    fn stop(&self);
    fn restart(&self);
}

// The methods are inherent ones, so that tests elsewhere need no trait.
macro_rules! database {
    ($type:ty) => {
        impl Database for $type {
            fn start() -> Option<Self> {
                <$type>::start()
            }
            fn fresh_database(&self) -> String {
                self.fresh_database()
            }
            fn url(&self) -> String {
                self.url()
            }
            fn port(&self) -> u16 {
                self.port()
            }
            fn sql(&self, url: &str, text: &str) -> String {
                self.sql(url, text)
            }
            fn kill(&self) {
                self.kill();
            }
            fn stop(&self) {
                self.stop();
            }
            fn restart(&self) {
                self.restart();
            }
        }
    };
}

database!(Postgres);
database!(MariaDb);

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn each_test_gets_a_database_of_its_own<D: Database>() {
    let Some(server) = D::start() else { return };
    let (one, other) = (server.fresh_database(), server.fresh_database());
    server.sql(&one, "CREATE TABLE things (name varchar(10)); INSERT INTO things VALUES ('Zoë'), ('Bo')");
    server.sql(&other, "CREATE TABLE things (name varchar(10))");
    assert_eq!(server.sql(&one, "SELECT name FROM things ORDER BY name"), "Bo\nZoë");
    assert_eq!(server.sql(&other, "SELECT count(*) FROM things"), "0");
    assert!(one.starts_with(server.url().trim_end_matches(char::is_alphabetic)), "{one}");
}

fn data_outlive_a_crash_and_a_stop<D: Database>() {
    let Some(server) = D::start() else { return };
    let url = server.fresh_database();
    server.sql(&url, "CREATE TABLE things (name varchar(10)); INSERT INTO things VALUES ('a')");
    for end in [D::stop, |_: &D| ()] {
        end(&server);
        server.restart();
        assert_eq!(server.sql(&url, "SELECT name FROM things"), "a");
    }
    server.kill();
    assert!(!listens(server.port()));
    server.restart();
    assert_eq!(server.sql(&url, "SELECT 1"), "1");
}

fn one_that_is_dropped_is_gone_also_in_a_panic<D: Database>() {
    let Some(server) = D::start() else { return };
    let port = server.port();
    assert!(listens(port));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _server = server;
        panic!("as a test that fails");
    }));
    assert!(panicked.is_err());
    assert!(!listens(port));
}

#[test]
fn each_test_gets_a_database_of_its_own_in_postgres() {
    each_test_gets_a_database_of_its_own::<Postgres>();
}

#[test]
fn each_test_gets_a_database_of_its_own_in_mariadb() {
    each_test_gets_a_database_of_its_own::<MariaDb>();
}

#[test]
fn data_outlive_a_crash_and_a_stop_of_postgres() {
    data_outlive_a_crash_and_a_stop::<Postgres>();
}

#[test]
fn data_outlive_a_crash_and_a_stop_of_mariadb() {
    data_outlive_a_crash_and_a_stop::<MariaDb>();
}

#[test]
fn a_postgres_that_is_dropped_is_gone_also_in_a_panic() {
    one_that_is_dropped_is_gone_also_in_a_panic::<Postgres>();
}

#[test]
fn a_mariadb_that_is_dropped_is_gone_also_in_a_panic() {
    one_that_is_dropped_is_gone_also_in_a_panic::<MariaDb>();
}

#[test]
fn postgres_counts_its_statements() {
    let Some(postgres) = Postgres::start() else { return };
    let (url, other) = (postgres.fresh_database(), postgres.fresh_database());
    postgres.sql(&url, "CREATE TABLE things (name text)");
    postgres.count_anew();
    for name in ["a", "b", "c"] {
        postgres.sql(&url, &format!("SELECT FROM things WHERE name = '{name}'"));
    }
    assert_eq!(postgres.statements(&url, "from THINGS"), 3);
    assert_eq!(postgres.statements(&url, "insert"), 0);
    assert_eq!(postgres.statements(&other, "things"), 0);
}

#[test]
#[should_panic(expected = "nonsense")]
fn a_statement_that_is_refused_is_shown() {
    match Postgres::start() {
        Some(postgres) => drop(postgres.sql(&postgres.url(), "SELECT nonsense")),
        None => panic!("nonsense, as there is no PostgreSQL to say so"),
    }
}
