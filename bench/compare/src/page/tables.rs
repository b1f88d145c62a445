use crate::figures::{Column, columns, written};
use crate::goals::GOALS;
use crate::results::{Measured, Results, ServerFacts};
use crate::servers::{AXUM, BUN, OURS};

/// What was to be reached, and whether it was.
pub(crate) fn goals(results: &Results) -> String {
    let mut table = String::from(
        "| workload | measured | goal | Narrows | beside | ratio | rounds | verdict |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut missing: Vec<&str> = Vec::new();
    for goal in GOALS {
        let Some(measured) = results.measured(goal.workload) else {
            missing.push(goal.workload);
            continue;
        };
        let outcome = goal.judge(results);
        let figure = |figure: Option<f64>| figure.map_or_else(dash, written);
        let of = |value: f64| if outcome.other.is_some() { ratio(value) } else { written(value) };
        let range = outcome.range.map_or_else(dash, |(low, high)| format!("{}–{}", of(low), of(high)));
        let ratio = outcome.value.filter(|_| outcome.other.is_some()).map_or_else(dash, ratio);
        table += &row(&[
            &measured.title,
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
    for workload in &results.workloads {
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
    let mut head = vec!["server", first.name, "low–high", "/ Bun", "/ axum"];
    head.extend(rest.iter().map(|column| column.name));
    let mut table = row(&head) + &"|---".repeat(head.len()) + "|\n";
    for server in servers {
        let key = server.key.as_str();
        let by = |other| workload.ratio(key, other, first.figure).map_or_else(dash, ratio);
        let range = workload.range(key, first.figure);
        let mut cells = vec![
            if key == OURS { bold(&server.name) } else { server.name.clone() },
            cell(workload, key, first),
            range.map_or_else(dash, |(low, high)| format!("{}–{}", written(low), written(high))),
            by(BUN),
            by(AXUM),
        ];
        cells
            .extend(rest.iter().map(|column| workload.median(key, column.figure).map_or_else(dash, written)));
        table += &row(&cells);
    }
    table + &format!("\n```console\n{}\n```\n", workload.command)
}

/// Who took part, in which version.
pub(crate) fn servers(results: &Results) -> String {
    let mut table = String::from("| server | what it is | version | started by |\n|---|---|---|---|\n");
    for server in &results.servers {
        let (version, command) = match &server.left_out {
            Some(why) => (format!("**left out: {}**", plain(why)), dash()),
            None => (server.version.clone(), format!("`{}`", server.command)),
        };
        table += &row(&[&server.name, &server.about, &version, &command]);
    }
    table
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
