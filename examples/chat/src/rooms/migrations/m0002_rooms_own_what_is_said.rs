//! What is said in a room, and how far it was read, goes with the room.

use narrows_web::models::migration::{Action, ForeignKey, Index, Migration, Sql};

pub(super) fn migration() -> Migration {
    // There were marks of rooms in which nothing was said.
    let astray = "DELETE FROM chat_mark WHERE room NOT IN (SELECT room FROM chat_room)";
    Migration::new("0002_rooms_own_what_is_said")
        .sql(Sql::new(astray).backwards("SELECT 1"))
        .add_index("chat_mark", Index::new("idx-chat_mark-room", ["room"]))
        .add_foreign_key(
            "chat_mark",
            ForeignKey::new("fk-chat_mark-room", ["room"], "chat_room", ["room"]).on_delete(Action::Cascade),
        )
        .add_foreign_key(
            "chat_message",
            ForeignKey::new("fk-chat_message-room", ["room"], "chat_room", ["room"])
                .on_delete(Action::Cascade),
        )
}
