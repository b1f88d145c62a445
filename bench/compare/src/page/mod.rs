//! `docs/performance.md`, made of the results of a run and of nothing else.

mod prose;
mod tables;

use std::error::Error;
use std::fs;
use std::path::Path;

pub(crate) use self::tables::goals;

use crate::figures::columns;
use crate::plot::{self, Bar, Kind};
use crate::results::{Measured, Results};
use crate::servers::OURS;

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
    results.write(&charts.join("results.json"))?;
    Ok(fs::write(folder.join("performance.md"), page(results))?)
}

/// The folder beside the page.
const CHARTS: &str = "performance";

fn page(results: &Results) -> String {
    let mut page = prose::beginning(results);
    page += &tables::goals(results);
    page += prose::BETWEEN;
    page += &tables::side_by_side(results);
    for workload in &results.workloads {
        page += &format!("\n### {}\n\n", capital(&workload.title));
        if let Some(note) = &workload.note {
            page += &format!("Not quite: {note}.\n\n");
        }
        if has_chart(workload) {
            page += &format!("![{}]({CHARTS}/{}.svg)\n\n", workload.title, workload.key);
        }
        page += &tables::workload(results, workload);
    }
    page + &prose::end(results)
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
            kind: match (server.key.as_str(), server.floor) {
                (OURS, _) => Kind::Ours,
                (_, true) => Kind::Floor,
                _ => Kind::Peer,
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
    use super::*;

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

    #[test]
    fn a_chart_shows_losses_as_words() {
        let results = results();
        let chart = chart(&results, results.measured("fanout-1000-w1").unwrap());
        assert!(chart.contains("lost 12") && chart.contains("class=\"ours\""), "{chart}");
    }
}
