//! Every change that there is, with rows in the tables, forwards and backwards, on every database.

use narrows_models::migrate::Target;
use narrows_models::migration::{Action, Column, DropColumn, ForeignKey, Index, Migration, Table};
use narrows_models::schema::Schema;
use narrows_models::sea_orm::{ConnectionTrait, DbBackend, TransactionTrait};
use narrows_models::state;

use super::site::{Site, on_every_database, table};
use super::structure::{rows, structure};

/// Two tables, one of which points at the other and at itself.
fn first() -> Migration {
    let author = table()
        .column(Column::varchar("name", 40))
        .column(Column::text("about").null())
        .column(Column::integer("born").null())
        .index(Index::unique("uniq-author-name", ["name"]));
    let book = table()
        .column(Column::varchar("title", 100))
        .column(Column::big_integer("author_id"))
        .column(Column::big_integer("part_of").null())
        .column(Column::integer("pages").default(1))
        .column(Column::varchar("code", 20).null())
        .column(Column::boolean("sold").default(false))
        .index(Index::new("idx-book-title", ["title", "pages"]))
        .index(Index::new("idx-book-author", ["author_id"]))
        .index(Index::unique("uniq-book-code", ["code"]))
        .foreign_key(
            ForeignKey::new("fk-book-author", ["author_id"], "author", ["id"]).on_delete(Action::Cascade),
        )
        .foreign_key(ForeignKey::new("fk-book-part", ["part_of"], "book", ["id"]).on_delete(Action::SetNull));
    Migration::new("0001_initial").create_table("author", author).create_table("book", book)
}

const ROWS: [&str; 4] = [
    "INSERT INTO author (name, about, born) VALUES ('Ada', 'it''s \\ 100%', 1815), ('Бен', NULL, NULL)",
    "INSERT INTO author (name) VALUES ('gone')",
    "DELETE FROM author WHERE name = 'gone'",
    "INSERT INTO book (title, author_id, part_of, pages, code) \
     VALUES ('one', 1, NULL, 10, '7'), ('two', 1, 1, 20, NULL), ('three', 2, 2, 30, '-12')",
];
const AUTHOR: [&str; 4] = ["id", "name", "about", "born"];
const BOOK: [&str; 7] = ["id", "title", "author_id", "part_of", "pages", "code", "sold"];

/// A change, and what is to be seen of it.
struct Change {
    operations: Migration,
    /// Queries, and the text that each gives once it is applied.
    shows: Vec<(&'static str, &'static str)>,
    /// Statements that are refused once it is applied.
    bites: Vec<&'static str>,
    /// Statements that are not.
    takes: Vec<&'static str>,
    /// Columns of which something else comes back when it is taken back.
    lost: Vec<&'static str>,
}

fn change(operations: Migration) -> Change {
    Change { operations, shows: vec![], bites: vec![], takes: vec![], lost: vec![] }
}

impl Change {
    fn shows(mut self, query: &'static str, text: &'static str) -> Self {
        self.shows.push((query, text));
        self
    }

    fn bites(mut self, statement: &'static str) -> Self {
        self.bites.push(statement);
        self
    }

    fn takes(mut self, statement: &'static str) -> Self {
        self.takes.push(statement);
        self
    }

    fn loses(mut self, column: &'static str) -> Self {
        self.lost.push(column);
        self
    }

    async fn on(&self, site: &Site) {
        let all = [first(), self.operations.clone()];
        site.migrate(&all[..1]).await.unwrap();
        for sql in ROWS {
            site.execute(&sql.replace('\\', if site.backend() == DbBackend::MySql { "\\\\" } else { "\\" }))
                .await;
        }
        let before = (structure(site).await, self.kept(site).await);
        self.apply(site, &all).await;
        let after = structure(site).await;
        self.check(site).await;
        self.back(site, &all).await;
        assert_eq!(
            (structure(site).await, self.kept(site).await),
            before,
            "{}, taken back",
            self.operations.name()
        );
        self.keeps_numbers(site).await;
        // The other way to the same tables: in one step, without rows.
        self.zero(site, &all).await;
        assert!(structure(site).await.is_empty());
        let fresh = [self.result()];
        site.migrate(&fresh).await.unwrap();
        assert_eq!(after, structure(site).await, "{}, made anew", self.operations.name());
        self.zero(site, &fresh).await;
    }

    async fn apply(&self, site: &Site, all: &[Migration]) {
        let applied = site.migrate(all).await;
        assert_eq!(applied.unwrap_or_else(|error| panic!("{}: {error:?}", self.operations.name())).len(), 1);
    }

    async fn check(&self, site: &Site) {
        for (query, text) in &self.shows {
            assert_eq!(site.texts(query).await.join(","), **text, "{query}");
        }
        for statement in &self.takes {
            let transaction = site.connection.begin().await.unwrap();
            let taken = transaction.execute_unprepared(statement).await;
            assert!(taken.is_ok(), "{statement}: {taken:?}");
            transaction.rollback().await.unwrap();
        }
        for statement in &self.bites {
            assert!(site.try_execute(statement).await.is_err(), "{statement}");
        }
    }

    async fn back(&self, site: &Site, all: &[Migration]) {
        let target = Target::To { app: "app".into(), name: "0001".into() };
        let back = site.migrator(all).target(target).migrate().await;
        assert_eq!(back.unwrap_or_else(|error| panic!("back: {error:?}")).done.len(), 1);
    }

    async fn zero(&self, site: &Site, all: &[Migration]) {
        let zero = Target::Zero { app: "app".into() };
        site.migrator(all).target(zero).migrate().await.unwrap();
    }

    /// What has to be as it was when the change is taken back.
    async fn kept(&self, site: &Site) -> Vec<String> {
        let but = |columns: &[&'static str]| {
            columns.iter().copied().filter(|column| !self.lost.contains(column)).collect::<Vec<_>>()
        };
        [rows(site, "author", &but(&AUTHOR)).await, rows(site, "book", &but(&BOOK)).await].concat()
    }

    /// The number of an author who is gone is not given again.
    async fn keeps_numbers(&self, site: &Site) {
        if self.lost.contains(&"numbers") {
            return;
        }
        site.execute("INSERT INTO author (name) VALUES ('new')").await;
        let id = site.texts("SELECT CAST(id AS CHAR(9)) FROM author WHERE name = 'new'").await;
        assert!(id[0].trim().parse::<u32>().unwrap() > 3, "{id:?}");
    }

    /// The tables as they are in the end, made at once.
    fn result(&self) -> Migration {
        let mut schema = Schema::default();
        for operation in first().operations().iter().chain(self.operations.operations()) {
            state::apply(&mut schema, operation).unwrap();
        }
        let mut tables: Vec<(String, Table)> = schema.tables.into_iter().collect();
        // A table after those that it points at.
        let mut fresh = Migration::new("0001_fresh");
        let mut made: Vec<String> = Vec::new();
        while !tables.is_empty() {
            let ready = |(name, table): &(String, Table)| {
                table.foreign_keys.iter().all(|key| key.to_table == *name || made.contains(&key.to_table))
            };
            let (name, table) = tables.remove(tables.iter().position(ready).unwrap());
            fresh = fresh.create_table(&name, table);
            made.push(name);
        }
        fresh
    }
}

const NEW: &str = "INSERT INTO author (name) VALUES ('x')";

fn columns_added_and_dropped() -> Vec<Change> {
    let to = |name: &str| Migration::new(name);
    vec![
        change(to("null").add_column("author", Column::varchar("town", 30).null()))
            .shows("SELECT coalesce(max(town), 'NULL') FROM author", "NULL")
            .takes(NEW),
        change(to("default").add_column("author", Column::varchar("town", 30).default("Rom'e \\ \"x\"")))
            .shows("SELECT town FROM author WHERE town LIKE 'Rom%' AND id = 1", "Rom'e \\ \"x\"")
            .takes(NEW)
            .bites("INSERT INTO author (name, town) VALUES ('x', NULL)"),
        change(to("filled").add_column("author", Column::varchar("town", 30).fill("Rome")))
            .shows("SELECT town FROM author WHERE id = 2", "Rome")
            .bites(NEW),
        change(
            to("filled_and_default").add_column("author", Column::text("town").default("Paris").fill("Rome")),
        )
        .shows("SELECT town FROM author WHERE id = 2", "Rome")
        .takes(NEW),
        change(to("filled_null").add_column("author", Column::integer("grade").null().fill(3)))
            .shows("SELECT name FROM author WHERE grade = 3 AND id = 2", "Бен")
            .takes(NEW),
        change(to("now").add_column("author", Column::date_time("since").default_now())).takes(NEW),
        change(to("now_once").add_column(
            "author",
            Column::date_time("since").null().fill(narrows_models::schema::Literal::Now),
        ))
        .shows("SELECT name FROM author WHERE since IS NULL", "")
        .takes(NEW),
        change(to("drop").drop_column("author", "about")).loses("about").takes(NEW),
        change(to("drop_with_keys").drop_column("book", DropColumn::new("author_id").fill(1)))
            .loses("author_id")
            .takes("INSERT INTO book (title) VALUES ('x')"),
        change(to("drop_unique").drop_column("book", "code")).loses("code"),
        change(to("drop_part_of_index").drop_column("book", "pages")).loses("pages"),
        change(to("drop_own_key").drop_column("book", "part_of")).loses("part_of"),
    ]
}

fn names() -> Vec<Change> {
    let to = |name: &str| Migration::new(name);
    vec![
        change(to("column").rename_column("author", "name", "full name"))
            .bites("INSERT INTO author (name) VALUES ('x')"),
        change(to("key").rename_column("author", "id", "number"))
            .bites("INSERT INTO book (title, author_id) VALUES ('x', 9)"),
        change(to("pointing").rename_column("book", "author_id", "by"))
            .bites("INSERT INTO book (title, author_id) VALUES ('x', 1)"),
        change(to("table").rename_table("author", "writer"))
            .shows("SELECT name FROM writer WHERE id = 1", "Ada")
            .bites("INSERT INTO book (title, author_id) VALUES ('x', 9)")
            .bites("INSERT INTO writer (name) VALUES ('Ada')"),
        change(to("own").rename_table("book", "work"))
            .bites("INSERT INTO work (title, author_id) VALUES ('x', 9)"),
        change(
            to("all")
                .rename_table("author", "writer")
                .rename_column("writer", "id", "key")
                .rename_table("book", "work")
                .rename_column("work", "author_id", "writer_id")
                .add_column("work", Column::integer("x").null())
                .alter_column("work", Column::varchar("title", 50)),
        )
        .bites("INSERT INTO work (title, writer_id) VALUES ('x', 9)"),
    ]
}

fn columns_changed() -> Vec<Change> {
    let to = |name: &str| Migration::new(name);
    let pages = "INSERT INTO book (title, author_id) VALUES ('x', 1)";
    vec![
        change(to("longer").alter_column("author", Column::varchar("name", 200)))
            .bites("INSERT INTO author (name) VALUES ('Ada')"),
        change(to("text").alter_column("book", Column::text("title"))).takes(pages),
        change(to("shorter").alter_column("book", Column::varchar("title", 5)))
            .shows("SELECT title FROM book WHERE id = 3", "three"),
        change(to("bigger").alter_column("book", Column::big_integer("pages").default(1)))
            .takes("UPDATE book SET pages = 5000000000"),
        change(to("to_number").alter_column("book", Column::integer("code").null()))
            .shows("SELECT title FROM book WHERE code < 0", "three")
            .bites("INSERT INTO book (title, author_id, code) VALUES ('x', 1, 7)"),
        change(to("to_text").alter_column("book", Column::varchar("pages", 9).default("1")))
            .shows("SELECT pages FROM book WHERE id = 2", "20"),
        change(to("to_double").alter_column("book", Column::double("pages").default(1)))
            .shows("SELECT title FROM book WHERE pages = 20.0", "two"),
        change(to("boolean_to_text").alter_column("book", Column::varchar("sold", 5).default("0")))
            .shows("SELECT sold FROM book WHERE id = 1", "0"),
        change(to("boolean_to_number").alter_column("book", Column::small_integer("sold").default(0)))
            .shows("SELECT title FROM book WHERE id = 1 AND sold = 0", "one"),
        change(to("not_null").alter_column("author", Column::integer("born").fill(1900)))
            .shows("SELECT name FROM author WHERE born = 1900", "Бен")
            .loses("born")
            .bites(NEW),
        change(to("not_null_by_default").alter_column("author", Column::integer("born").default(0)))
            .shows("SELECT name FROM author WHERE born = 0", "Бен")
            .loses("born")
            .takes(NEW),
        change(to("null").alter_column("book", Column::varchar("title", 100).null().undo_fill("?")))
            .takes("INSERT INTO book (author_id) VALUES (1)"),
        change(to("default_added").alter_column("author", Column::integer("born").null().default(5)))
            .shows("SELECT name FROM author WHERE born IS NULL", "Бен"),
        change(to("default_changed").alter_column("book", Column::integer("pages").default(2))).takes(pages),
        change(to("default_removed").alter_column("book", Column::integer("pages"))).bites(pages),
        change(to("all_at_once").alter_column("author", Column::text("born").default("0")))
            .shows("SELECT born FROM author WHERE id = 2", "0")
            .shows("SELECT born FROM author WHERE id = 1", "1815")
            .loses("born")
            .takes(NEW),
        change(
            to("keys")
                .alter_column("author", Column::integer("id").auto())
                .alter_column("book", Column::integer("author_id")),
        )
        .bites("INSERT INTO book (title, author_id) VALUES ('x', 9)")
        .takes(NEW),
        change(to("not_numbered").alter_column("author", Column::big_integer("id")))
            .takes("INSERT INTO author (id, name) VALUES (77, 'x')")
            .loses("numbers"),
    ]
}

fn indexes_and_keys() -> Vec<Change> {
    let to = |name: &str| Migration::new(name);
    let cascade = ForeignKey::new("fk-book-by", ["author_id"], "author", ["id"]).on_delete(Action::Restrict);
    vec![
        change(to("index").add_index("author", Index::new("idx-author-born", ["born", "name"]))),
        change(to("unique").add_index("author", Index::unique("uniq-author-born", ["born"])))
            .bites("INSERT INTO author (name, born) VALUES ('x', 1815)")
            .takes("INSERT INTO author (name, born) VALUES ('x', 1816)"),
        change(to("no_index").drop_index("book", "idx-book-title")),
        change(to("no_unique").drop_index("author", "uniq-author-name"))
            .takes("INSERT INTO author (name) VALUES ('Ada')"),
        change(to("no_index_of_a_key").drop_index("book", "idx-book-author"))
            .bites("INSERT INTO book (title, author_id) VALUES ('x', 9)"),
        change(to("no_key").drop_foreign_key("book", "fk-book-author"))
            .takes("INSERT INTO book (title, author_id) VALUES ('x', 9)"),
        change(to("no_own_key").drop_foreign_key("book", "fk-book-part"))
            .takes("UPDATE book SET part_of = 99 WHERE id = 1"),
        change(to("other_key").drop_foreign_key("book", "fk-book-author").add_foreign_key("book", cascade))
            .bites("DELETE FROM author WHERE id = 1"),
        change(
            to("further_key")
                .add_column("author", Column::big_integer("best_id").null())
                .add_foreign_key("author", ForeignKey::new("fk-author-best", ["best_id"], "author", ["id"])),
        )
        .bites("UPDATE author SET best_id = 99")
        .takes("UPDATE author SET best_id = 1"),
        change(
            to("pair")
                .create_table("place", place())
                .add_column("author", Column::varchar("land", 2).null())
                .add_column("author", Column::varchar("town", 9).null())
                .add_foreign_key(
                    "author",
                    ForeignKey::new("fk-place", ["land", "town"], "place", ["land", "town"]),
                ),
        )
        .bites("UPDATE author SET land = 'IT', town = 'Rome'"),
        change(to("odd").create_table("we\"ird `tab'le\\", odd())).takes(NEW),
        change(
            to("no_table")
                .drop_foreign_key("book", "fk-book-author")
                .create_table("place", place())
                .drop_table("place"),
        ),
    ]
}

fn place() -> Table {
    let land = Column::varchar("land", 2);
    let town = Column::varchar("town", 9);
    Table::new()
        .column(land)
        .column(town)
        .column(Column::json("facts").default("{}"))
        .primary_key(["land", "town"])
}

fn odd() -> Table {
    table()
        .column(Column::varchar("select", 9).default("a'\\b"))
        .column(Column::text("q`\"'?").null())
        .index(Index::unique("in\"d`ex '?", ["select"]))
        .foreign_key(ForeignKey::new("k\"e`y", ["id"], "we\"ird `tab'le\\", ["id"]))
}

async fn columns_are_added_and_dropped(site: Site) {
    for change in columns_added_and_dropped() {
        change.on(&site).await;
    }
}

async fn tables_and_columns_get_other_names(site: Site) {
    for change in names() {
        change.on(&site).await;
    }
}

async fn columns_are_changed(site: Site) {
    for change in columns_changed() {
        change.on(&site).await;
    }
}

async fn indexes_and_foreign_keys_come_and_go(site: Site) {
    for change in indexes_and_keys() {
        change.on(&site).await;
    }
}

on_every_database!(
    columns_are_added_and_dropped,
    tables_and_columns_get_other_names,
    columns_are_changed,
    indexes_and_foreign_keys_come_and_go,
);
