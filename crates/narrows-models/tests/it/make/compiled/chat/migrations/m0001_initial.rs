//! Makes `room`.

use narrows_models::migration::{Column, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial").create_table(
        "chat_room",
        Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::varchar("name", 255))
            .column(Column::varchar("topic", 255).null())
            .primary_key(["id"]),
    )
}
