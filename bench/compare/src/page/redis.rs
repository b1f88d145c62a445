use super::{prose, tables, taken, workload};
use crate::results::{Measured, Results, Taken};
use crate::workload::is_on_redis;

/// The part of the page about channel layers on Redis; nothing where none was measured.
pub(super) fn section(results: &Results) -> String {
    let measured: Vec<&Measured> =
        results.workloads.iter().filter(|workload| is_on_redis(&workload.key)).collect();
    let Some(first) = measured.first() else { return String::new() };
    let mut section = prose::ON_REDIS.to_owned();
    // Said once where it is true of all.
    let common = measured.iter().all(|workload| workload.taken == first.taken);
    if common {
        section += &paragraph(first.taken.as_deref(), results);
    }
    section += &tables::goals(results, is_on_redis);
    for measured in measured {
        section += &workload(results, measured, if common { None } else { measured.taken.as_deref() });
    }
    section
}

fn paragraph(from: Option<&Taken>, results: &Results) -> String {
    from.map_or_else(String::new, |from| taken(from, results) + "\n\n")
}
