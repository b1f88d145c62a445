use narrows_models::migration::{Column, Index, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial").create_table(
        "narrows_admin_log",
        Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::date_time("at"))
            .column(Column::varchar("user_id", 100))
            .column(Column::varchar("username", 254))
            .column(Column::varchar("action", 30))
            .column(Column::varchar("object_table", 100))
            .column(Column::varchar("object_key", 255))
            .column(Column::varchar("object_label", 255))
            .column(Column::text("changes"))
            .primary_key(["id"])
            .index(Index::new("idx-narrows_admin_log-object_key", ["object_key"])),
    )
}
