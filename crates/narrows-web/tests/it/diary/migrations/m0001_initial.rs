//! Makes `page`.

use narrows_web::models::migration::{Action, Column, ForeignKey, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial").create_table(
        "diary_page",
        Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::integer("author_id"))
            .column(Column::varchar("title", 50))
            .primary_key(["id"])
            .foreign_key(
                ForeignKey::new("fk-diary_page-author_id", ["author_id"], "auth_user", ["id"])
                    .on_delete(Action::Cascade),
            ),
    )
}
