//! The library of the tests, to look at: `cargo run -p narrows-admin --example library -- --database-url sqlite::memory:`.
//!
//! Log in as `ada`, with the password `a quiet green field`.

use std::process::ExitCode;

use narrows_admin::sea_orm::ConnectionTrait;
use narrows_web::Site;
use narrows_web::narrows_django::NewUser;

#[path = "../tests/it/project/mod.rs"]
mod project;

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    project::project().prepare(|site| async move { fill(&site).await }).run()
}

async fn fill(site: &Site) -> Result<(), Failed> {
    let ada = NewUser {
        username: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        password: "a quiet green field".to_owned(),
    };
    if site.accounts().user_by_name("ada").await?.is_none() {
        site.accounts().create_superuser(&ada).await?;
        for row in ROWS {
            site.db().execute_unprepared(row).await?;
        }
    }
    Ok(())
}

const ROWS: [&str; 4] = [
    "INSERT INTO library_author (id, name, born, living, country, bio, created_at) VALUES \
     (1, 'Ursula K. Le Guin', '1929-10-21', false, 'us', 'Earthsea, and the Ekumen.', '2026-01-01T00:00:00+00:00'), \
     (2, 'Terry Pratchett', '1948-04-28', false, 'gb', 'The Discworld.', '2026-01-01T00:00:00+00:00'), \
     (3, 'Ann Leckie', '1966-03-02', true, 'us', '', '2026-01-01T00:00:00+00:00'), \
     (4, 'Stanisław Lem', '1921-09-12', false, 'pl', 'Solaris.', '2026-01-01T00:00:00+00:00')",
    "INSERT INTO library_branch (code, name) VALUES ('main', 'Main street'), ('north', 'Northern harbour')",
    "INSERT INTO library_book (id, title, author_id, branch_code, pages, price, in_print, checked, bought_at, binding) VALUES \
     (1, 'A Wizard of Earthsea', 1, 'main', 205, 8.5, true, true, '2026-02-03T04:05:06.123456+00:00', 'paper'), \
     (2, 'The Dispossessed', 1, 'main', 341, 12, true, NULL, '2025-12-30T10:00:00+00:00', 'cloth'), \
     (3, 'Mort', 2, 'north', 272, 7.25, true, false, '2026-11-20T10:00:00+00:00', 'paper'), \
     (4, 'Ancillary Justice', 3, NULL, 409, NULL, false, NULL, NULL, NULL), \
     (5, 'Solaris', 4, 'north', 204, 9, true, true, '2026-11-01T10:00:00+00:00', 'paper')",
    "INSERT INTO library_loan (id, book_id, reader) VALUES (1, 3, 'Zoë Harker')",
];
