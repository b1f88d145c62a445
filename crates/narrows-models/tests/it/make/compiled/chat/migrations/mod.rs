//! The migrations of this app, in order. `makemigrations` adds to the list.

mod m0001_initial;
mod m0002_second_day;

use narrows_models::{Migrations, migrations};

/// All of them.
pub(crate) fn all() -> Migrations {
    migrations![m0001_initial, m0002_second_day]
}
