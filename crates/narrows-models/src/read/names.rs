//! Names of indexes and foreign keys: of table and columns alone, each once in a database, and short enough for all.

use std::collections::BTreeMap;

use crate::read::ModelError;

/// What PostgreSQL takes; MySQL takes one more.
const LONGEST: usize = 63;

/// Refuses a name of a table or column that not every database takes as it is.
pub(super) fn check(entity: &'static str, name: &str) -> Result<(), ModelError> {
    let why = if name.len() > LONGEST {
        "is longer than the 63 bytes that PostgreSQL takes"
    } else if name.is_empty() {
        "is empty"
    } else if name.chars().any(char::is_control) {
        "has a line break or another control character in it"
    } else if name.ends_with(' ') {
        "ends with a space, which MySQL refuses"
    } else if name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_")) {
        "begins with `sqlite_`, which SQLite keeps for itself"
    } else {
        return Ok(());
    };
    Err(ModelError::Name { entity, name: name.to_owned(), why })
}

/// Refuses names that are one for databases which do not see a letter's case.
pub(crate) fn check_case<'a>(
    entity: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ModelError> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        if let Some(one) = known.insert(name.to_lowercase(), name) {
            return Err(ModelError::Case { entity, one: one.to_owned(), other: name.to_owned() });
        }
    }
    Ok(())
}

/// The name of an index over these columns.
// SeaORM's own for a plain index. No underscore between the parts: `a_b` and `c` would be `a` and `b_c`.
pub(crate) fn index(table: &str, columns: &[String], unique: bool) -> String {
    let kind = if unique { "uniq" } else { "idx" };
    cut(format!("{kind}-{table}-{}", columns.join("-")))
}

/// The name of a foreign key of these columns.
pub(super) fn foreign_key(table: &str, columns: &[String]) -> String {
    cut(format!("fk-{table}-{}", columns.join("-")))
}

/// That of another one of the same columns.
pub(super) fn further_foreign_key(table: &str, columns: &[String], to_table: &str) -> String {
    cut(format!("fk-{table}-{}-{to_table}", columns.join("-")))
}

/// A name that is too long ends with a hash of the whole.
pub(super) fn cut(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let hash = format!("-{:016x}", fnv(name.as_bytes()));
    let mut end = LONGEST - hash.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &name[..end])
}

/// FNV-1a, which stays the same for ever. <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
