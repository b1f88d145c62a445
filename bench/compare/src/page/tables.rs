use crate::figures::{Column, columns, written};
use crate::goals::GOALS;
use crate::on_redis::{CHANNELS_CORE, CHANNELS_PUBSUB};
use crate::results::{Measured, Results, ServerFacts};
use crate::servers::{AXUM, BUN, OURS};
use crate::workload::is_on_redis;

/// What was to be reached on these workloads, and whether it was.
pub(super) fn goals(results: &Results, wanted: impl Fn(&str) -> bool) -> String {
    let mut table = String::from(
        "| workload | measured | goal | Narrows | beside | ratio | rounds | verdict |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut missing: Vec<&str> = Vec::new();
    for goal in GOALS.iter().filter(|goal| wanted(goal.workload)) {
        let Some(measured) = results.measured(goal.workload) else {
            missing.push(goal.workload);
            continue;
        };
        let outcome = goal.judge(results);
        let figure = |figure: Option<f64>| figure.map_or_else(dash, written);
        let of = |value: f64| if outcome.other.is_some() { ratio(value) } else { written(value) };
        let range = outcome.range.map_or_else(dash, |(low, high)| format!("{}–{}", of(low), of(high)));
        let ratio = outcome.value.filter(|_| outcome.other.is_some()).map_or_else(dash, ratio);
        let title = match results.servers.iter().find(|server| server.key == goal.who && goal.who != OURS) {
            Some(server) => format!("{}: {}", measured.title, server.name),
            None => measured.title.clone(),
        };
        table += &row(&[
            &title,
            goal.column.name,
            &goal.bound.to_string(),
            &figure(outcome.ours),
            &figure(outcome.other.map(|(_, figure)| figure)),
            &ratio,
            &range,
            &outcome.verdict.to_string(),
        ]);
    }
    missing.dedup();
    if !missing.is_empty() {
        table += &format!("\nNot part of this run: {}.\n", missing.join(", "));
    }
    table
}

/// The figure that counts of each workload, for the three that are compared most.
pub(crate) fn side_by_side(results: &Results) -> String {
    let mut table = String::from(
        "| workload | measured | Narrows | Bun | axum | Narrows / Bun | Narrows / axum |\n|---|---|---|---|---|---|---|\n",
    );
    for workload in results.workloads.iter().filter(|workload| !is_on_redis(&workload.key)) {
        let column = columns(&workload.key)[0];
        let of = |server| cell(workload, server, &column);
        let by =
            |other| workload.ratio(OURS, other, column.figure).map_or_else(dash, |value| bold(&ratio(value)));
        table += &row(&[&workload.title, column.name, &of(OURS), &of(BUN), &of(AXUM), &by(BUN), &by(AXUM)]);
    }
    table
}

/// All servers on one workload, with all its figures.
pub(crate) fn workload(results: &Results, workload: &Measured) -> String {
    let took_part = |server: &&ServerFacts| workload.runs_of(&server.key).next().is_some();
    let servers: Vec<&ServerFacts> = results.servers.iter().filter(took_part).collect();
    if servers.is_empty() {
        return "Nobody took part.\n".to_owned();
    }
    // A column that nobody has a figure for says nothing.
    let columns: Vec<&Column> = columns(&workload.key)
        .iter()
        .enumerate()
        .filter(|(place, column)| {
            *place == 0 || servers.iter().any(|server| workload.median(&server.key, column.figure).is_some())
        })
        .map(|(_, column)| column)
        .collect();
    let (first, rest) = columns.split_first().expect("every workload has a figure that counts");
    let beside: Vec<_> = beside(&workload.key)
        .iter()
        .filter(|(_, other)| !is_on_redis(&workload.key) || workload.runs_of(other).next().is_some())
        .collect();
    let mut head = vec!["server", first.name, "low–high"];
    head.extend(beside.iter().map(|(name, _)| *name));
    head.extend(rest.iter().map(|column| column.name));
    let mut table = row(&head) + &"|---".repeat(head.len()) + "|\n";
    for server in servers {
        let key = server.key.as_str();
        let by = |other| workload.ratio(key, other, first.figure).map_or_else(dash, ratio);
        let range = workload.range(key, first.figure);
        let mut cells = vec![
            if is_ours(key) { bold(&server.name) } else { server.name.clone() },
            cell(workload, key, first),
            range.map_or_else(dash, |(low, high)| format!("{}–{}", written(low), written(high))),
        ];
        cells.extend(beside.iter().map(|(_, other)| by(other)));
        cells
            .extend(rest.iter().map(|column| workload.median(key, column.figure).map_or_else(dash, written)));
        table += &row(&cells);
    }
    table + &format!("\n```console\n{}\n```\n", workload.command)
}

/// Who took part, in which version.
pub(crate) fn servers(results: &Results) -> String {
    let mut table = String::from("| server | what it is | version | started by |\n|---|---|---|---|\n");
    let mut add = |server: &ServerFacts, name: &str| {
        let (version, command) = match &server.left_out {
            Some(why) => (format!("**left out: {}**", plain(why)), dash()),
            None => (server.version.clone(), format!("`{}`", server.command)),
        };
        table += &row(&[name, &server.about, &version, &command]);
    };
    for server in &results.servers {
        add(server, &server.name);
    }
    // Those that were something else in another run.
    let mut told: Vec<&ServerFacts> = results.servers.iter().collect();
    for taken in results.workloads.iter().filter_map(|workload| workload.taken.as_deref()) {
        for server in &taken.servers {
            if !told.contains(&server) {
                told.push(server);
                add(server, &format!("{} ({})", server.name, taken.machine.date));
            }
        }
    }
    table
}

/// Whether it is a Narrows server, on whatever layer.
pub(super) fn is_ours(key: &str) -> bool {
    key.split('-').next() == Some(OURS)
}

/// What the servers of a workload are compared with, by name and key.
fn beside(workload: &str) -> &'static [(&'static str, &'static str)] {
    if is_on_redis(workload) {
        &[("/ in memory", OURS), ("/ Channels pub/sub", CHANNELS_PUBSUB), ("/ Channels core", CHANNELS_CORE)]
    } else {
        &[("/ Bun", BUN), ("/ axum", AXUM)]
    }
}

/// A median, or why there is none.
fn cell(workload: &Measured, server: &str, column: &Column) -> String {
    match (workload.median(server, column.figure), workload.fault(server)) {
        (Some(figure), _) => written(figure),
        (None, Some(fault)) => plain(fault),
        (None, None) => dash(),
    }
}

fn row(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn ratio(value: f64) -> String {
    if value < 0.01 {
        format!("{value:.4}")
    } else if value < 1.0 {
        format!("{value:.3}")
    } else {
        written(value)
    }
}

/// Words of a program, for a table.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

fn bold(text: &str) -> String {
    format!("**{text}**")
}

fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_keep_their_digits_when_they_are_small() {
        assert_eq!([0.0065, 0.123_4, 1.5, 120.0].map(ratio), ["0.0065", "0.123", "1.50", "120"]);
    }

    #[test]
    fn words_of_a_program_do_not_break_a_table() {
        assert_eq!(plain("a | b\nc"), "a / b c");
    }
}
