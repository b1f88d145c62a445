//! A real Django 5.2 and Narrows with one database: each understands the other's cookies, users and passwords.
//!
//! What is the same on both sides is written once, for a [`Site`](site::Site) that is either; a test then has one of them do
//! a thing and asks the other, and the other way round.

mod ground;
mod http;
mod narrows_site;
mod site;
mod socket;

mod ends;
mod formats;
mod keys;
mod models;
mod sessions;
mod tables;
mod tokens;
mod users;
mod ways;

/// The password of whoever a test makes: no common one, and like no name.
const PASSWORD: &str = "correct horse, 馬";

/// Runs tests, which take a [`Ground`](ground::Ground), on each database that Django and Narrows both know.
// A macro, as tests are known by their names and there is one for each database.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::interop::ground::Ground::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let Some(ground) = crate::interop::ground::Ground::postgres() else { return };
                super::$test(ground).await;
            })+
        }
        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let Some(ground) = crate::interop::ground::Ground::mariadb() else { return };
                super::$test(ground).await;
            })+
        }
    };
}
use on_each_database;
