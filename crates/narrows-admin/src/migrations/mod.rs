//! The migrations of the admin's own table, in order.

mod m0001_initial;

use narrows_models::Migrations;

pub(crate) fn all() -> Migrations {
    narrows_models::migrations![m0001_initial]
}

#[cfg(test)]
mod tests {
    use narrows_models::sea_orm::Database;
    use narrows_models::{Commands, Models};

    #[tokio::test]
    async fn they_make_what_the_models_need() {
        let connection = Database::connect("sqlite::memory:").await.expect("it is in memory");
        let models = Models::new().entity(crate::log::Entity);
        let commands = Commands::new().app("admin", models, super::all());
        let (args, mut output) = (["makemigrations".to_owned(), "--check".to_owned()], Vec::new());
        commands.run_to(&connection, &args, &mut output).await.expect("the models can be read");
        let output = String::from_utf8(output).expect("it is a text");
        assert!(output.contains("No changes"), "{output}");
    }
}
