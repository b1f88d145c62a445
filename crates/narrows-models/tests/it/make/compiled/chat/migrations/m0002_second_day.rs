//! Renames `name` of `room` to `title`, adds `age` to `room`, and 7 more steps.

use narrows_models::migration::{Action, Column, ForeignKey, Index, Migration};

pub(super) fn migration() -> Migration {
    Migration::new("0002_second_day")
        .rename_column("chat_room", "name", "title")
        .add_column("chat_room", Column::integer("age").default(18))
        .add_column("chat_room", Column::date_time("made_at").default_now())
        .add_column("chat_room", Column::integer("the \"größe\" of it").null())
        .add_column("chat_room", Column::varchar("order", 255).default("it's \\ so"))
        .add_column("chat_room", Column::big_integer("parent_id").null())
        .alter_column("chat_room", Column::varchar("topic", 255).fill("all \"rooms\""))
        .add_index("chat_room", Index::unique("uniq-chat_room-title", ["title"]))
        .add_foreign_key(
            "chat_room",
            ForeignKey::new("fk-chat_room-parent_id", ["parent_id"], "chat_room", ["id"])
                .on_delete(Action::SetNull),
        )
}
