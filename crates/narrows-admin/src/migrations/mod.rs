//! The migrations of the admin's own table, in order.

mod m0001_initial;

use narrows_models::Migrations;

pub(crate) fn all() -> Migrations {
    narrows_models::migrations![m0001_initial]
}
