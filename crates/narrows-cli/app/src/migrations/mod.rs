//! The migrations of this app, in order. `narrows makemigrations` adds to the list.

use narrows_web::models::{Migrations, migrations};

mod m0001_initial;

pub fn all() -> Migrations {
    migrations![m0001_initial]
}
