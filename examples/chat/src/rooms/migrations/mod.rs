//! The migrations of this app, in order. `narrows makemigrations` adds to the list.

mod m0001_initial;
mod m0002_rooms_own_what_is_said;

use narrows_web::models::{Migrations, migrations};

pub(super) fn all() -> Migrations {
    migrations![m0001_initial, m0002_rooms_own_what_is_said]
}
