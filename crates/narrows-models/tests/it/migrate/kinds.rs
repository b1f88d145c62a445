//! Values that SeaORM writes and reads, in columns of every kind.

use narrows_models::MigrateError;
use narrows_models::migration::{Column, Migration, Table};
use narrows_models::schema::{Kind, Literal};
use narrows_models::sea_orm::entity::prelude::*;
use narrows_models::sea_orm::{self, DbBackend, Set};

use super::site::{Site, on_every_database, table};

mod thing {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "thing")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) boolean: bool,
        pub(super) small: i16,
        pub(super) number: i32,
        pub(super) big: i64,
        pub(super) real: f32,
        pub(super) double: f64,
        pub(super) price: Decimal,
        pub(super) short: String,
        pub(super) long: String,
        pub(super) bytes: Vec<u8>,
        pub(super) day: Date,
        pub(super) clock: Time,
        pub(super) moment: DateTimeUtc,
        pub(super) local: DateTime,
        pub(super) uuid: Uuid,
        pub(super) json: Json,
        pub(super) nothing: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod event {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) moment: Option<DateTimeWithTimeZone>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn things() -> Table {
    table()
        .column(Column::boolean("boolean").default(true))
        .column(Column::small_integer("small").default(-7))
        .column(Column::integer("number").default(7))
        .column(Column::big_integer("big").default(i64::MAX))
        .column(Column::float("real").default(Literal::number("0.5")))
        .column(Column::double("double").default(Literal::number("0.1")))
        .column(Column::decimal("price", 12, 2).default(Literal::number("1234567.89")))
        .column(Column::varchar("short", 20).default("it's \\ \"x\""))
        .column(Column::text("long").default("лес 🌲\n"))
        .column(Column::bytes("bytes").default("b\\y"))
        .column(Column::date("day").default("2024-02-29"))
        .column(Column::time("clock").default("23:59:59.000123"))
        .column(Column::date_time("moment").default("2024-02-29T01:02:03.000123+00:00"))
        .column(Column::local_date_time("local").default("2024-02-29T01:02:03.000123"))
        .column(Column::uuid("uuid").default("00112233-4455-6677-8899-aabbccddeeff"))
        .column(Column::json("json").default("{\"a\": [1, \"\\\"it's\"]}"))
        .column(Column::date_time("nothing").null())
}

fn by_default() -> thing::Model {
    let moment: DateTimeUtc = "2024-02-29T01:02:03.000123Z".parse().unwrap();
    thing::Model {
        id: 1,
        boolean: true,
        small: -7,
        number: 7,
        big: i64::MAX,
        real: 0.5,
        double: 0.1,
        price: "1234567.89".parse().unwrap(),
        short: "it's \\ \"x\"".into(),
        long: "лес 🌲\n".into(),
        bytes: b"b\\y".to_vec(),
        day: "2024-02-29".parse().unwrap(),
        clock: "23:59:59.000123".parse().unwrap(),
        moment,
        local: moment.naive_utc(),
        uuid: Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
        json: sea_orm::JsonValue::from_iter([("a", vec![Json::from(1), Json::from("\"it's")])]),
        nothing: None,
    }
}

fn written() -> thing::Model {
    // MariaDB takes what SeaORM writes for a `DateTimeUtc` for a `timestamp`, which ends in 2038.
    let moment: DateTimeUtc = "2037-12-31T23:59:59.999999Z".parse().unwrap();
    thing::Model {
        id: 2,
        boolean: false,
        small: i16::MIN,
        number: i32::MIN,
        big: i64::MIN,
        real: 1.5e-30,
        double: -1.797e308,
        price: "-9999999999.99".parse().unwrap(),
        short: "яяяяяяяяяяяяяяяяяяяя".into(),
        long: "x".repeat(100_000),
        bytes: (0..=255).cycle().take(100_000).collect(),
        day: "0999-12-31".parse().unwrap(),
        clock: "00:00:00".parse().unwrap(),
        moment,
        local: moment.naive_utc(),
        uuid: Uuid::from_u128(u128::MAX),
        json: Json::Null,
        nothing: Some(moment),
    }
}

async fn a_column_of_each_kind_keeps_what_seaorm_writes(site: Site) {
    site.migrate(&[Migration::new("0001_initial").create_table("thing", things())]).await.unwrap();
    insert_default(&site, "thing").await;
    let thing::Model { json, .. } = by_default();
    let first = thing::Entity::find_by_id(1).one(&site.connection).await.unwrap().unwrap();
    assert_eq!(first, by_default());
    let mut second: thing::ActiveModel = written().into();
    second.id = sea_orm::NotSet;
    second.json = Set(json.clone());
    assert_eq!(second.insert(&site.connection).await.unwrap().id, 2);
    let second = thing::Entity::find_by_id(2).one(&site.connection).await.unwrap().unwrap();
    assert_eq!(second, thing::Model { json, ..written() });
    let uuid = thing::Entity::find().filter(thing::Column::Uuid.eq(second.uuid));
    let moment =
        uuid.filter(thing::Column::Moment.eq(second.moment)).filter(thing::Column::Boolean.eq(false));
    assert_eq!(moment.count(&site.connection).await.unwrap(), 1);
}

/// With a zone of their own such times can be later than 2038 on MariaDB too.
async fn a_time_of_the_next_century_is_kept(site: Site) {
    let event = table().column(Column::date_time("moment").null());
    site.migrate(&[Migration::new("0001_initial").create_table("event", event)]).await.unwrap();
    let moment: DateTimeWithTimeZone = "2199-12-31T23:59:59.999999+02:00".parse().unwrap();
    let moment_in = event::ActiveModel { moment: Set(Some(moment)), ..Default::default() };
    moment_in.insert(&site.connection).await.unwrap();
    let found = event::Entity::find().one(&site.connection).await.unwrap().unwrap();
    assert_eq!(found.moment, Some(moment));
}

/// `a`, `A`, `a ` and `á` are four texts everywhere.
async fn texts_are_equal_where_they_are_the_same(site: Site) {
    let names = Table::new().column(Column::varchar("name", 20)).primary_key(["name"]);
    site.migrate(&[Migration::new("0001_initial").create_table("names", names)]).await.unwrap();
    for name in ["a", "A", "a ", "á"] {
        site.execute(&format!("INSERT INTO names VALUES ('{name}')")).await;
    }
    assert!(site.try_execute("INSERT INTO names VALUES ('a')").await.is_err());
    assert_eq!(site.texts("SELECT name FROM names WHERE name = 'A'").await, ["A"]);
}

/// The time at which a row is written is that of UTC, and SeaORM reads it.
async fn now_is_the_time_at_which_a_row_is_written(site: Site) {
    let event = table()
        .column(Column::date_time("moment").default_now())
        .column(Column::local_date_time("local").default_now())
        .column(Column::date("day").default_now())
        .column(Column::varchar("name", 9));
    site.migrate(&[Migration::new("0001_initial").create_table("event", event)]).await.unwrap();
    site.execute("INSERT INTO event (name) VALUES ('x')").await;
    let row = site.row("SELECT moment, local, day FROM event").await;
    let now = DateTimeUtc::from(std::time::SystemTime::now());
    let (moment, local): (DateTimeUtc, DateTime) =
        (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
    assert!((now - moment).num_seconds().abs() < 60 && (moment.naive_utc() - local).num_seconds().abs() < 60);
    let day: Date = row.try_get_by_index(2).unwrap();
    assert!((now.date_naive() - day).num_days().abs() <= 1);
}

/// A row of defaults.
async fn insert_default(site: &Site, table: &str) {
    let all = if site.backend() == DbBackend::MySql { "() VALUES ()" } else { "DEFAULT VALUES" };
    site.execute(&format!("INSERT INTO {table} {all}")).await;
}

/// Each value goes to the other kind and comes back.
async fn values_of_one_kind_become_those_of_another_and_come_back(site: Site) {
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let pairs: [(Column, Column, &str); 10] = [
        (Column::uuid("x"), Column::varchar("x", 36), uuid),
        (Column::varchar("x", 40), Column::uuid("x"), uuid),
        (Column::uuid("x"), Column::bytes("x"), uuid),
        (Column::text("x"), Column::json("x"), "[1]"),
        (Column::text("x"), Column::boolean("x"), "1"),
        (Column::bytes("x"), Column::text("x"), "бит"),
        (Column::date_time("x"), Column::local_date_time("x"), "2024-02-29T01:02:03.000123"),
        (Column::date("x"), Column::date_time("x"), "2024-02-29"),
        (Column::boolean("x"), Column::big_integer("x"), "1"),
        (Column::decimal("x", 10, 2), Column::varchar("x", 20), "12.25"),
    ];
    for (from, to, value) in pairs {
        let value = literal(&from, value);
        let first = Migration::new("0001").create_table("pair", table().column(from.clone().default(value)));
        let all = [first, Migration::new("0002").alter_column("pair", to.clone())];
        site.migrate(&all[..1]).await.unwrap();
        insert_default(&site, "pair").await;
        let before = super::structure::rows(&site, "pair", &["id", "x"]).await;
        site.migrate(&all).await.unwrap_or_else(|error| panic!("{from:?} {to:?} {error:?}"));
        let back = site.to(&all, "0001").await;
        back.unwrap_or_else(|error| panic!("{to:?} {from:?} {error:?}"));
        assert_eq!(super::structure::rows(&site, "pair", &["id", "x"]).await, before, "{from:?} {to:?}");
        site.to(&all, "zero").await.unwrap();
    }
}

fn literal(column: &Column, value: &str) -> Literal {
    match column.kind {
        Kind::Boolean => Literal::Boolean(value == "1"),
        Kind::Decimal(..) => Literal::number(value),
        _ => Literal::Text(value.to_owned()),
    }
}

/// What would become something else is refused, and stays.
async fn values_that_are_none_of_the_other_kind_are_refused_and_stay(site: Site) {
    let first = Migration::new("0001").create_table("word", table().column(Column::varchar("x", 20)));
    site.migrate(std::slice::from_ref(&first)).await.unwrap();
    for value in ["ten", "1.5", "99999999999999999999", "2024-13-01"] {
        site.execute(&format!("INSERT INTO word (x) VALUES ('{value}')")).await;
        let kinds = [
            Column::integer("x"),
            Column::varchar("x", 2),
            Column::uuid("x"),
            Column::boolean("x"),
            Column::date("x"),
        ];
        for to in kinds {
            let all = [first.clone(), Migration::new("0002").alter_column("word", to.clone())];
            let error = site.migrate(&all).await.map(|_| format!("{value} became {to:?}")).unwrap_err();
            assert!(
                format!("{error}").contains("operation 1 of 1, change the column `x` of `word`"),
                "{value} {to:?} {error}"
            );
            assert_eq!(site.texts("SELECT x FROM word").await, [value], "{to:?}");
        }
        site.execute("DELETE FROM word").await;
    }
}

/// No database makes anything up: what there is stays, and without a value there is nothing to refuse.
async fn kinds_that_have_no_way_to_each_other_are_changed_without_values_only(site: Site) {
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let pairs: [(Column, Column, &str); 10] = [
        (Column::json("x"), Column::integer("x"), "[1]"),
        (Column::date("x"), Column::integer("x"), "2024-02-29"),
        (Column::date("x"), Column::boolean("x"), "2024-02-29"),
        (Column::time("x"), Column::date_time("x"), "01:02:03"),
        (Column::boolean("x"), Column::json("x"), "1"),
        (Column::bytes("x"), Column::big_integer("x"), "7"),
        (Column::bytes("x"), Column::uuid("x"), "short"),
        (Column::uuid("x"), Column::varchar("x", 20), uuid),
        (Column::text("x"), Column::time("x"), "10"),
        (Column::decimal("x", 10, 2), Column::decimal("x", 4, 2), "12345.25"),
    ];
    for (from, to, value) in pairs {
        let value = literal(&from, value);
        let first = Migration::new("0001").create_table("pair", table().column(from.clone().default(value)));
        let all = [first, Migration::new("0002").alter_column("pair", to.clone())];
        site.migrate(&all[..1]).await.unwrap();
        insert_default(&site, "pair").await;
        let before = super::structure::rows(&site, "pair", &["id", "x"]).await;
        let done = site.migrate(&all).await;
        assert!(matches!(done, Err(MigrateError::Failed { .. })), "{from:?} {to:?} {done:?}");
        assert_eq!(super::structure::rows(&site, "pair", &["id", "x"]).await, before, "{from:?} {to:?}");
        site.execute("DELETE FROM pair").await;
        site.migrate(&all).await.unwrap_or_else(|error| panic!("{from:?} {to:?} {error:?}"));
        site.to(&all, "zero").await.unwrap_or_else(|error| panic!("{to:?} {from:?} {error:?}"));
    }
}

async fn a_point_in_time_that_becomes_a_time_of_day_keeps_it(site: Site) {
    let moment = "2024-02-29T01:02:03.000123";
    for from in [Column::date_time("x").default(moment), Column::local_date_time("x").default(moment)] {
        let first = Migration::new("0001").create_table("pair", table().column(from));
        let all = [first, Migration::new("0002").alter_column("pair", Column::time("x"))];
        site.migrate(&all[..1]).await.unwrap();
        insert_default(&site, "pair").await;
        site.migrate(&all).await.unwrap();
        let row = site.row("SELECT x FROM pair").await;
        assert_eq!(row.try_get_by_index::<Time>(0).unwrap(), "01:02:03.000123".parse().unwrap());
        site.execute("DELETE FROM pair").await;
        site.to(&all, "zero").await.unwrap();
    }
}

async fn rows_with_null_say_what_is_missing_where_a_column_may_hold_none_any_more(site: Site) {
    let first = Migration::new("0001").create_table("word", table().column(Column::varchar("x", 9).null()));
    let all = [first, Migration::new("0002").alter_column("word", Column::varchar("x", 9))];
    site.migrate(&all[..1]).await.unwrap();
    site.execute("INSERT INTO word (x) VALUES (NULL), ('a')").await;
    let error = site.migrate(&all).await.unwrap_err();
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "`x` is NULL in some rows, and has neither a default nor a value for them"
    );
    site.execute("DELETE FROM word WHERE x IS NULL").await;
    assert_eq!(site.migrate(&all).await.unwrap(), ["0002"]);
}

on_every_database!(
    a_column_of_each_kind_keeps_what_seaorm_writes,
    a_time_of_the_next_century_is_kept,
    texts_are_equal_where_they_are_the_same,
    now_is_the_time_at_which_a_row_is_written,
    values_of_one_kind_become_those_of_another_and_come_back,
    values_that_are_none_of_the_other_kind_are_refused_and_stay,
    kinds_that_have_no_way_to_each_other_are_changed_without_values_only,
    a_point_in_time_that_becomes_a_time_of_day_keeps_it,
    rows_with_null_say_what_is_missing_where_a_column_may_hold_none_any_more,
);
