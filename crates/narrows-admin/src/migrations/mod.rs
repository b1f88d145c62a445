//! The migrations of the admin's own table, in order.

mod m0001_initial;

use narrows_models::Migrations;

pub(crate) fn all() -> Migrations {
    narrows_models::migrations![m0001_initial]
}

#[cfg(test)]
mod tests {
    use narrows_models::{Commands, Models};

    #[test]
    fn they_make_what_the_models_need() {
        let models = Models::new().entity(crate::log::Entity);
        let made = Commands::new().app("admin", models, super::all()).make(&["--check".to_owned()]);
        let made = made.expect("the models can be read");
        assert_eq!(made.code, 0, "{}", made.report);
    }
}
