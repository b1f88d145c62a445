//! The migrations of this app, in order. `makemigrations` adds to the list.

mod m0001_initial;

use narrows_web::models::{Migrations, migrations};

/// All of them.
pub(crate) fn all() -> Migrations {
    migrations![m0001_initial]
}
