//! Makes `chat_mark`, makes `chat_message` and makes `chat_room`.

use narrows_web::models::migration::{Column, Index, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial")
        .create_table(
            "chat_mark",
            Table::new()
                .column(Column::varchar("reader", 99))
                .column(Column::varchar("room", 99))
                .column(Column::big_integer("id"))
                .primary_key(["reader", "room"]),
        )
        .create_table(
            "chat_message",
            Table::new()
                .column(Column::varchar("room", 99))
                .column(Column::big_integer("id"))
                .column(Column::varchar("sender", 99))
                .column(Column::varchar("once", 64).null())
                .column(Column::text("name"))
                .column(Column::boolean("account"))
                .column(Column::text("body"))
                .column(Column::text("folded"))
                .column(Column::big_integer("said_at"))
                .primary_key(["room", "id"])
                .index(Index::unique("uniq-chat_message-room-sender-once", ["room", "sender", "once"]))
                .index(Index::new("idx-chat_message-said_at", ["said_at"])),
        )
        .create_table(
            "chat_room",
            Table::new()
                .column(Column::varchar("room", 99))
                .column(Column::text("title"))
                .column(Column::big_integer("epoch"))
                .column(Column::big_integer("last"))
                .primary_key(["room"]),
        )
}
