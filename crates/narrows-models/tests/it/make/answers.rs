//! What is asked, and what answers do.

use std::collections::VecDeque;
use std::io;

use narrows_models::migration::{Column, Table};
use narrows_models::question::Prompt;

use super::project::{Project, line};

/// Somebody who answers these lines, and then leaves.
struct Somebody {
    answers: VecDeque<&'static str>,
    asked: Vec<String>,
}

impl Somebody {
    fn who_says<const N: usize>(answers: [&'static str; N]) -> Self {
        Self { answers: answers.into(), asked: Vec::new() }
    }
}

impl Prompt for Somebody {
    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        self.asked.push(question.to_owned());
        Ok(self.answers.pop_front().map(str::to_owned))
    }
}

fn person() -> Table {
    Table::new()
        .column(Column::big_integer("id").auto())
        .column(Column::varchar("name", 40))
        .column(Column::integer("age").null())
        .primary_key(["id"])
}

fn titled() -> Table {
    let mut table = person();
    "title".clone_into(&mut table.columns[1].name);
    table
}

fn made() -> Project {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    project
}

#[test]
fn a_yes_renames_a_column_after_anything_else_was_asked_again() {
    let mut project = made();
    let mut somebody = Somebody::who_says(["what?", " Y "]);

    project.change([("chat_person", titled())]).make_with("", Some(&mut somebody)).unwrap();

    assert_eq!(somebody.asked, ["Was `name` of `chat_person` renamed to `title`? [y/n] "; 2]);
    assert_eq!(project.files("chat")[1], "m0002_rename_person_name_title.rs");
}

#[test]
fn a_no_drops_the_one_and_asks_what_rows_get_in_the_other() {
    let mut project = made();
    let long = "a text of more than the forty letters that it holds";
    let mut somebody = Somebody::who_says(["n", long, "\"\""]);

    project.change([("chat_person", titled())]).make_with("", Some(&mut somebody)).unwrap();

    assert!(
        somebody.asked[1].starts_with("`title` of `chat_person` is new, holds no NULL"),
        "{:?}",
        somebody.asked
    );
    let file = project.read("src/chat/migrations/m0002_person_title_drop_person_name.rs");
    assert!(file.contains(r#"Column::varchar("title", 40).fill("")"#), "{file}");
    assert!(file.contains(r#"DropColumn::new("name").fill("")"#), "{file}");
}

#[test]
fn a_table_with_most_columns_alike_may_have_been_renamed() {
    let mut project = made();
    let mut somebody = Somebody::who_says(["yes"]);

    project.change([("chat_member", person())]).make_with("", Some(&mut somebody)).unwrap();

    assert_eq!(somebody.asked, ["Was the table `chat_person` renamed to `chat_member`? [y/n] "]);
    assert_eq!(project.files("chat")[1], "m0002_rename_person_member.rs");
}

#[test]
fn a_table_that_an_option_speaks_for_is_not_offered_for_another_one() {
    let mut project = made();

    let now = [("chat_member", person()), ("chat_writer", person())];
    project.change(now).make("--rename-table chat_person=chat_writer").unwrap();

    assert_eq!(project.files("chat")[1], "m0002_rename_person_writer_member.rs");
}

#[test]
fn a_table_that_is_another_one_is_not_asked_about() {
    let mut project = made();
    let words = Table::new().column(Column::varchar("word", 40)).primary_key(["word"]);

    project.change([("chat_word", words)]).make("").unwrap();

    assert_eq!(project.files("chat")[1], "m0002_drop_person_word.rs");
}

#[test]
fn with_nobody_there_each_question_names_its_flag() {
    let mut project = made();
    let told = |project: &mut Project, table| line(&project.change(table).make("").unwrap_err());

    let column = told(&mut project, [("chat_person", titled())]);
    let table = told(&mut project, [("chat_member", person())]);
    let added = told(&mut project, [("chat_person", person().column(Column::text("note")))]);
    let mut never_null = person();
    never_null.columns[2].null = false;
    let not_null = told(&mut project, [("chat_person", never_null)]);

    assert!(column.contains("`--rename chat_person.name=title`, or `--no-rename`"), "{column}");
    assert!(table.contains("`--rename-table chat_person=chat_member`, or `--no-rename`"), "{table}");
    assert!(added.contains("`--fill chat_person.note=VALUE` (a text, as it is)"), "{added}");
    assert!(not_null.contains("may hold no NULL any more"), "{not_null}");
    assert!(not_null.contains("`--fill chat_person.age=VALUE` (a whole number of 32 bits)"), "{not_null}");
    assert_eq!(project.files("chat"), ["m0001_initial.rs"]);
}

#[test]
fn no_input_asks_nobody() {
    let mut project = made();
    let mut somebody = Somebody::who_says(["y"]);

    let outcome = project.change([("chat_person", titled())]).make_with("--no-input", Some(&mut somebody));

    assert!(line(&outcome.unwrap_err()).contains("--rename"));
    assert!(somebody.asked.is_empty());
}

#[test]
fn somebody_who_leaves_writes_nothing() {
    let mut project = made();
    let mut somebody = Somebody::who_says([""]);

    let outcome = project
        .change([("chat_person", person().column(Column::text("note")))])
        .make_with("", Some(&mut somebody));

    assert!(line(&outcome.unwrap_err()).contains("--fill chat_person.note"));
    assert_eq!(project.files("chat"), ["m0001_initial.rs"]);
}

#[test]
fn a_flag_with_a_wrong_name_or_value_is_told() {
    let mut project = made();
    let told = |project: &mut Project, args| line(&project.make(args).unwrap_err());
    project.change([("chat_person", person().column(Column::integer("size")))]);

    let wrong_value = told(&mut project, "--fill chat_person.size=big");
    let unused = told(&mut project, "--fill chat_person.size=1 --rename chat_person.nam=title");

    assert!(wrong_value.contains("`size` holds integer, which is given as a whole number"), "{wrong_value}");
    assert!(unused.contains("`--rename chat_person.nam=title` names nothing that changes"), "{unused}");
    assert_eq!(project.files("chat"), ["m0001_initial.rs"]);
}

#[test]
fn a_check_asks_nothing_and_needs_no_answer() {
    let mut project = made();
    let mut somebody = Somebody::who_says(["y"]);

    let outcome =
        project.change([("chat_person", titled())]).make_with("--check", Some(&mut somebody)).unwrap();

    assert_eq!(outcome.code, 1);
    assert!(outcome.report.contains("adds `title` to `person`"), "{}", outcome.report);
    assert!(somebody.asked.is_empty());
}
