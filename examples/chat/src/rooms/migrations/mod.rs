//! The migrations of this app, in order. `narrows makemigrations` adds to the list.

use narrows_web::models::{Migrations, migrations};

pub(super) fn all() -> Migrations {
    migrations![]
}
