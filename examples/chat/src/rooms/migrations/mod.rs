//! The migrations of this app, in order. `narrows makemigrations` adds to the list.

mod m0001_initial;

use narrows_web::models::{Migrations, migrations};

pub(super) fn all() -> Migrations {
    migrations![m0001_initial]
}
