//! An app, as `makemigrations` left it.

mod migrations;
pub(super) mod models;

/// Its migrations.
pub(super) fn migrations() -> narrows_models::Migrations {
    migrations::all()
}
