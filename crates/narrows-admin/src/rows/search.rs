use narrows_models::sea_orm::DbBackend;
use narrows_models::sea_orm::sea_query::{Condition, Expr, ExprTrait, Func, LikeExpr};

use crate::model::Model;
use crate::value;

/// More words than these nobody types, and each costs a look at every row.
const MAX_WORDS: usize = 8;
const MAX_CHARS: usize = 100;

/// The words of a search.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .take(MAX_WORDS)
        .map(|word| word.chars().filter(|c| *c != '\0').take(MAX_CHARS).collect())
        .filter(|word: &String| !word.is_empty())
        .collect()
}

/// Rows that have each of the words in one of these fields, in capitals or not.
pub(crate) fn search(model: &Model, fields: &[usize], text: &str, backend: DbBackend) -> Condition {
    let mut all = Condition::all();
    for word in words(text) {
        let mut any = Condition::any();
        for field in fields {
            let column = value::text(model.fields[*field].column(), backend);
            any = any.add(has_word(&column, &word, backend));
        }
        all = all.add(any);
    }
    all
}

/// Whether a text has this word in it, in capitals or not.
pub(crate) fn has_word(text: &Expr, word: &str, backend: DbBackend) -> Condition {
    let like = |word: &str| LikeExpr::new(format!("%{}%", escaped(word))).escape('!');
    let mut any = Condition::any().add(lower(text.clone(), backend).like(like(&word.to_lowercase())));
    for form in forms(word) {
        any = any.add(text.clone().like(like(&form)));
    }
    any
}

fn lower(column: Expr, backend: DbBackend) -> Expr {
    // SQLite's LIKE knows the capitals of ASCII by itself, and its `lower` no others.
    if backend == DbBackend::Sqlite { column } else { Func::lower(column).into() }
}

/// What a word with other letters than ASCII's can be in a text: SQLite, and PostgreSQL with the locale C, do not know that
/// `ä` and `Ä` are alike.
fn forms(word: &str) -> Vec<String> {
    if word.is_ascii() {
        return Vec::new();
    }
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let capitalised = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
    let mut forms = vec![word.to_owned(), word.to_uppercase(), lower.clone()];
    forms.extend(capitalised);
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn escaped(word: &str) -> String {
    word.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
