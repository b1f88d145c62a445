//! Makes `item`.

use narrows_web::models::migration::{Column, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial").create_table(
        "newapp_item",
        Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::varchar("text", 200))
            .primary_key(["id"]),
    )
}
