//! `docs/performance.md`, made of the results of a run and of nothing else.

mod prose;
mod redis;
mod tables;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::figures::columns;
use crate::plot::{self, Bar, Kind};
use crate::results::{Measured, Results, Taken};
use crate::workload::is_on_redis;

/// Writes the page, a chart for each workload, and the results themselves.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<(), Box<dyn Error>> {
    let charts = folder.join(CHARTS);
    fs::create_dir_all(&charts)?;
    // One of a workload that was not measured this time would be an old one.
    for old in fs::read_dir(&charts)?.flatten().map(|entry| entry.path()) {
        if old.extension().is_some_and(|extension| extension == "svg") {
            fs::remove_file(old)?;
        }
    }
    for workload in results.workloads.iter().filter(|workload| has_chart(workload)) {
        fs::write(charts.join(format!("{}.svg", workload.key)), chart(results, workload))?;
    }
    results.write(&results_in(folder))?;
    Ok(fs::write(folder.join("performance.md"), page(results))?)
}

/// Where the results are that belong to the page in this folder.
pub(crate) fn results_in(folder: &Path) -> PathBuf {
    folder.join(CHARTS).join("results.json")
}

/// What was to be reached, and whether it was.
pub(crate) fn all_goals(results: &Results) -> String {
    let mut all = tables::goals(results, |key| !is_on_redis(key));
    if results.workloads.iter().any(|workload| is_on_redis(&workload.key)) {
        all += "\n";
        all += &tables::goals(results, is_on_redis);
    }
    all
}

/// The folder beside the page.
const CHARTS: &str = "performance";

fn page(results: &Results) -> String {
    let mut page = prose::beginning(results);
    page += &tables::goals(results, |key| !is_on_redis(key));
    page += prose::BETWEEN;
    page += &tables::side_by_side(results);
    for measured in results.workloads.iter().filter(|workload| !is_on_redis(&workload.key)) {
        page += &workload(results, measured, measured.taken.as_deref());
    }
    page += &redis::section(results);
    page + &prose::end(results)
}

/// One workload; `from` is what is to be said of where its figures come from.
fn workload(results: &Results, measured: &Measured, from: Option<&Taken>) -> String {
    let Measured { key, title, note, .. } = measured;
    let mut part = format!("\n### {}\n\n", capital(title));
    if let Some(note) = note {
        part += &format!("Not quite: {note}.\n\n");
    }
    if let Some(from) = from {
        part += &format!("{}\n\n", taken(from, results));
    }
    if has_chart(measured) {
        part += &format!("![{title}]({CHARTS}/{key}.svg)\n\n");
    }
    part + &tables::workload(results, measured)
}

/// Where figures come from that are not of the page's own run.
fn taken(from: &Taken, results: &Results) -> String {
    let Taken { machine, command, minutes, .. } = from;
    let page = &results.machine;
    let alike =
        (&machine.processor, machine.cores, &machine.kernel) == (&page.processor, page.cores, &page.kernel);
    let place = if alike {
        "the same kind of machine".to_owned()
    } else {
        format!("{} cores ({}), Linux {}", machine.cores, machine.processor, machine.kernel)
    };
    let commit = prose::commit(machine);
    format!(
        "Measured in another run than the rest of this page: {}{commit}, on {place}, by `{command}`, which took {minutes:.0} \
         minutes.",
        machine.date
    )
}

/// One bar is no chart.
fn has_chart(workload: &Measured) -> bool {
    let mut servers = workload.runs.iter().map(|run| &run.server);
    servers.next().is_some_and(|first| servers.any(|server| server != first))
}

fn chart(results: &Results, workload: &Measured) -> String {
    let column = columns(&workload.key)[0];
    let better = if column.more_is_better { "more is better" } else { "less is better" };
    let taking_part = results.servers.iter().filter(|server| workload.runs_of(&server.key).next().is_some());
    let bars: Vec<Bar> = taking_part
        .map(|server| Bar {
            name: server.name.clone(),
            kind: match server.floor {
                true => Kind::Floor,
                false if tables::is_ours(&server.key) => Kind::Ours,
                false => Kind::Peer,
            },
            figure: workload
                .median(&server.key, column.figure)
                .ok_or_else(|| workload.fault(&server.key).unwrap_or("not measured").to_owned()),
            range: workload.range(&server.key, column.figure),
        })
        .collect();
    plot::chart(&capital(&workload.title), &format!("{}: {better}", column.name), &bars)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::machine::Machine;
    use crate::on_redis::{CHANNELS_PUBSUB, PUBSUB, TWO_NODES};
    use crate::results::{Run, ServerFacts};
    use crate::servers::OURS;

    /// Of a run that was made up.
    pub(crate) fn results() -> Results {
        serde_json::from_str(include_str!("sample.json")).unwrap()
    }

    #[test]
    fn a_page_has_what_was_measured_and_what_was_not() {
        let page = page(&results());
        for part in [
            "| 1 group of 1000, 128 bytes, window 1 | CPU s per million deliveries | ≤ 0.95 × Bun | 0.90 | 1.00 | 0.900 | 0.818–1.00 | met |",
            "| **not met** |",
            "lost 12",
            "left out: there is no daphne",
            "1 group of 5000",
            "Not quite: fewer than wanted.",
            "](performance/fanout-1000-w1.svg)",
            "cargo xtask bench --quick",
            "Not part of this run: fanout-1000-w8, rooms-1000x10,",
        ] {
            assert!(page.contains(part), "{part}\n\n{page}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    }

    #[test]
    fn the_page_is_written_again_from_what_was_written() {
        let folder = std::env::temp_dir().join(format!("narrows-page-{}", std::process::id()));
        write(&results(), &folder).unwrap();
        let first = fs::read_to_string(folder.join("performance.md")).unwrap();
        let again = Results::read(&folder.join("performance/results.json")).unwrap();
        write(&again, &folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("performance.md")).unwrap(), first);
        assert!(folder.join("performance/connect.svg").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    fn on_redis(results: &mut Results) {
        let machine = Machine {
            date: "2027-01-01".to_owned(),
            commit: Some("abc123".to_owned()),
            ..results.machine.clone()
        };
        let of = |key: &str, cost: f64| Run {
            server: key.to_owned(),
            round: 1,
            report: Some(json!({
                "server": {"cpu_seconds_per_million": cost},
                "backend": {"cpu_seconds_per_million": 0.125},
            })),
            fault: None,
        };
        let runs = vec![of(OURS, 2.0), of(PUBSUB, 2.5), of(TWO_NODES, 3.0), of(CHANNELS_PUBSUB, 250.0)];
        let fact = |key: &str| ServerFacts {
            key: key.to_owned(),
            name: format!("<{key}>"),
            ..results.servers[0].clone()
        };
        let mut servers: Vec<ServerFacts> = [PUBSUB, TWO_NODES, CHANNELS_PUBSUB].map(fact).into();
        servers.push(ServerFacts { version: "9.9.9".to_owned(), ..results.servers[0].clone() });
        let workload = Measured {
            key: "redis-fanout-1000".to_owned(),
            title: "1 group of 1000, over Redis".to_owned(),
            note: None,
            command: "narrows bench".to_owned(),
            taken: None,
            runs,
        };
        let command = "cargo xtask bench --only redis --merge".to_owned();
        results.merge(Results { machine, command, minutes: 7.0, servers, workloads: vec![workload] });
    }

    #[test]
    fn what_is_over_redis_is_a_part_of_its_own_with_its_goals_and_its_run() {
        let mut results = results();
        assert!(!page(&results).contains("## Redis"));
        on_redis(&mut results);
        let page = page(&results);
        for part in [
            "## Redis",
            "2027-01-01, commit abc123, on the same kind of machine, by `cargo xtask bench --only redis --merge`, which took 7",
            "| 1 group of 1000, over Redis: <narrows-pubsub> | deliveries per CPU second | ≥ 20.00 × Channels | 400\u{a0}000 | 4000 | 100 | 100–100 | met |",
            "<narrows-pubsub-2> | CPU s per million deliveries | ≤ 1.30 × in memory | 3.00 | 2.00 | 1.50 | 1.50–1.50 | **not met** |",
            "| server | CPU s per million deliveries | low–high | / in memory | / Channels pub/sub | Redis, CPU s per million |",
            "| **<narrows-pubsub>** | 2.50 | 2.50–2.50 | 1.25 | 0.010 | 0.12 |",
            "Not part of this run: redis-consumers-1000, redis-layers-1000.",
            "| Narrows (2027-01-01) | a server | 9.9.9 |",
        ] {
            assert!(page.contains(part), "{part}\n\n{page}");
        }
        let (before, after) = page.split_once("## Redis").unwrap();
        assert!(!before.contains("over Redis") && !after.contains("/ Bun"), "{page}");
        assert_eq!(page.matches("Measured in another run").count(), 1, "{page}");
    }

    #[test]
    fn a_chart_shows_losses_as_words() {
        let results = results();
        let chart = chart(&results, results.measured("fanout-1000-w1").unwrap());
        assert!(chart.contains("lost 12") && chart.contains("class=\"ours\""), "{chart}");
    }
}
