//! Makes `room` and `message`.

use narrows_web::models::migration::{Action, Column, ForeignKey, Index, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial")
        .create_table(
            "chat_room",
            Table::new()
                .column(Column::big_integer("id").auto())
                .column(Column::varchar("name", 50))
                .column(Column::varchar("topic", 200))
                .primary_key(["id"])
                .index(Index::unique("uniq-chat_room-name", ["name"])),
        )
        .create_table(
            "chat_message",
            Table::new()
                .column(Column::big_integer("id").auto())
                .column(Column::big_integer("room_id"))
                .column(Column::varchar("author", 150))
                .column(Column::text("text"))
                .column(Column::date_time("sent_at"))
                .primary_key(["id"])
                .index(Index::new("idx-chat_message-room_id", ["room_id"]))
                .foreign_key(
                    ForeignKey::new("fk-chat_message-room_id", ["room_id"], "chat_room", ["id"])
                        .on_delete(Action::Cascade),
                ),
        )
}
