//! A library, with a model for each kind of relation and of column.

pub(crate) mod models;

use narrows_admin::sea_orm::{ConnectionTrait, Order, Schema};
use narrows_admin::{Admin, Listed};
use narrows_web::{Project, Site};

use self::models::{author, book, branch, loan, note, stock};

/// The admin of the library.
pub(crate) fn admin() -> Admin {
    Admin::new()
        .title("The library")
        .model(
            Listed::new(author::Entity)
                .list([author::Column::Name, author::Column::Born, author::Column::Living])
                .search([author::Column::Name, author::Column::Bio])
                .filter([author::Column::Living, author::Column::Country])
                .order_by(author::Column::Name, Order::Asc)
                .read_only([author::Column::CreatedAt])
                .blank([author::Column::Bio])
                .per_page(20),
        )
        .model(
            Listed::new(book::Entity)
                .list([
                    book::Column::Title,
                    book::Column::AuthorId,
                    book::Column::Price,
                    book::Column::InPrint,
                    book::Column::BoughtAt,
                ])
                .search([book::Column::Title])
                .filter([
                    book::Column::AuthorId,
                    book::Column::InPrint,
                    book::Column::BoughtAt,
                    book::Column::Binding,
                    book::Column::Pages,
                    book::Column::Price,
                ])
                .help(book::Column::Extra, "Anything else, as JSON.")
                .label(|book| format!("{} ({})", book.title, book.pages)),
        )
        .model(Listed::new(branch::Entity).search([branch::Column::Name]))
        .model(Listed::new(stock::Entity).list([
            stock::Column::BookId,
            stock::Column::Branch,
            stock::Column::Copies,
        ]))
        .model(Listed::new(loan::Entity).label(|loan| format!("Loan to {}", loan.reader)))
        .model(
            Listed::new(note::Entity)
                .permissions("library", "note")
                .names("Note", "Notes")
                .list([note::Column::Subject, note::Column::Extra, note::Column::Fee])
                .filter([note::Column::Id, note::Column::Extra, note::Column::Fee, note::Column::ParentId]),
        )
}

pub(crate) fn project() -> Project {
    Project::new("library", "1.0.0").app(admin().app()).prepare(|site| async move { tables(&site).await })
}

/// The tables of the library, as SeaORM makes them.
pub(crate) async fn tables(site: &Site) -> Result<(), narrows_admin::sea_orm::DbErr> {
    let (db, schema) = (site.db(), Schema::new(site.database().backend()));
    for table in [
        schema.create_table_from_entity(author::Entity),
        schema.create_table_from_entity(branch::Entity),
        schema.create_table_from_entity(book::Entity),
        schema.create_table_from_entity(stock::Entity),
        schema.create_table_from_entity(loan::Entity),
        schema.create_table_from_entity(note::Entity),
    ] {
        db.execute(table.clone().if_not_exists()).await?;
    }
    Ok(())
}
