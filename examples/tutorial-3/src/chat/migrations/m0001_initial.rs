//! Makes `message`.

use narrows_web::models::migration::{Column, Index, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial").create_table(
        "chat_message",
        Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::varchar("room", 50))
            .column(Column::varchar("author", 150))
            .column(Column::text("text"))
            .column(Column::date_time("sent_at"))
            .primary_key(["id"])
            .index(Index::new("idx-chat_message-room", ["room"])),
    )
}
