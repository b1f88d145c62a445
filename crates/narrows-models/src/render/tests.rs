//! The printer beside rustfmt itself.

use super::*;

#[test]
fn what_is_printed_is_as_rustfmt_has_it() {
    let long = "a_rather_long_name_of_a_table_or_column";
    let empty = tempfile::tempdir().unwrap();
    std::fs::write(empty.path().join("rustfmt.toml"), "max_width = 100\n").unwrap();
    let mut operations = Vec::new();
    for name in ["a", "chat_person", long] {
        let table = Table::new()
            .column(Column::big_integer("id").auto())
            .column(Column::varchar(name, 100).null().default("something that is long enough to matter"))
            .column(Column::decimal("price", 12, 2).default(Literal::number("0.5")))
            .primary_key(["id"])
            .index(Index::unique(&format!("uniq-{name}-{name}"), [name]))
            .index(Index::new(&format!("idx-{name}"), [name, "price", "id"]))
            .foreign_key(
                ForeignKey::new(&format!("fk-{name}-room_id"), [name], "chat_room", ["id"])
                    .on_delete(Action::Cascade),
            )
            .foreign_key(
                ForeignKey::new("fk-room", [name], "room", ["id"])
                    .on_delete(Action::Cascade)
                    .on_update(Action::SetNull),
            );
        let key = table.foreign_keys[0].clone();
        let column = table.columns[1].clone();
        operations.push(vec![Operation::CreateTable { name: name.to_owned(), table: table.clone() }]);
        operations.push(vec![Operation::CreateTable {
            name: name.to_owned(),
            table: Table::new().column(Column::big_integer("id").auto()).primary_key(["id"]),
        }]);
        operations.push(vec![
            Operation::CreateTable { name: name.to_owned(), table },
            Operation::DropForeignKey { table: name.to_owned(), name: key.name.clone() },
            Operation::AddForeignKey { table: name.to_owned(), key },
            Operation::AlterColumn {
                table: name.to_owned(),
                column: Column { null: false, kind: Kind::Integer, default: None, ..column.clone() },
                fill: Some(Literal::Integer(1)),
                undo_fill: Some(Literal::Now),
            },
            Operation::AddColumn {
                table: name.to_owned(),
                column: Column { name: "x".to_owned(), ..column },
                fill: None,
            },
            Operation::AddColumn {
                table: name.to_owned(),
                column: Column::date_time("when"),
                fill: Some(Literal::Now),
            },
            Operation::DropColumn {
                table: name.to_owned(),
                name: "when".to_owned(),
                fill: Some(Literal::Now),
            },
            Operation::RenameColumn { table: name.to_owned(), from: "x".to_owned(), to: "y".to_owned() },
            Operation::RenameTable { from: name.to_owned(), to: "other".to_owned() },
            Operation::DropTable { name: "other".to_owned() },
        ]);
    }
    let mut texts = Vec::new();
    for operations in operations {
        for after in [vec![], vec![("accounts".to_owned(), "0001_initial".to_owned())]] {
            let planned = Planned {
                name: "0002_person_age".to_owned(),
                operations: operations.clone(),
                after: after.into_iter().collect(),
                before: Schema::default(),
            };
            texts.push(file(&planned, "chat", "narrows_web::models"));
        }
    }
    // One start for all: each is a module of one file.
    let modules = texts.iter().enumerate().map(|(at, text)| {
        std::fs::write(empty.path().join(format!("m{at}.rs")), text).unwrap();
        format!("mod m{at};\n")
    });
    std::fs::write(empty.path().join("lib.rs"), modules.collect::<String>()).unwrap();
    let mut rustfmt = Command::new("rustfmt");
    let Ok(output) = rustfmt.args(["--edition", "2024", "lib.rs"]).current_dir(empty.path()).output() else {
        println!("left out: there is no rustfmt");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(*text, std::fs::read_to_string(empty.path().join(format!("m{at}.rs"))).unwrap());
    }
}
