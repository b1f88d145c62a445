use std::error::Error;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::machine::Machine;
use crate::stats::{median, range};

/// All that a run has found out: the page is made of this and of nothing else.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// What was typed.
    pub(crate) command: String,
    pub(crate) minutes: f64,
    pub(crate) servers: Vec<ServerFacts>,
    pub(crate) workloads: Vec<Measured>,
}

/// A server that took part, or was to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServerFacts {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) version: String,
    /// How it was started.
    pub(crate) command: String,
    /// Whether it is no server, but what the system calls alone cost.
    pub(crate) floor: bool,
    /// Why it did not take part.
    pub(crate) left_out: Option<String>,
}

/// Where figures come from that were measured in another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) machine: Machine,
    pub(crate) command: String,
    pub(crate) minutes: f64,
    pub(crate) servers: Vec<ServerFacts>,
}

/// One workload on all servers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) key: String,
    pub(crate) title: String,
    /// Where it is not what its goal says.
    pub(crate) note: Option<String>,
    pub(crate) command: String,
    /// The run that it is from, where that is not the run of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) taken: Option<Box<Taken>>,
    pub(crate) runs: Vec<Run>,
}

/// One workload on one server, once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) server: String,
    pub(crate) round: usize,
    /// What the load generator said; there may be one with a fault too.
    pub(crate) report: Option<Value>,
    /// Why it is no measurement.
    pub(crate) fault: Option<String>,
}

/// Takes a figure out of a report, if it has it.
pub(crate) type Figure = fn(&Value) -> Option<f64>;

impl Results {
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{} holds no results: {error}", path.display()).into())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// Takes in what a later run has measured, in place of the same workloads of this one.
    pub(crate) fn merge(&mut self, later: Self) {
        let Self { machine, command, minutes, servers, workloads } = later;
        let taken = Taken { machine, command, minutes, servers: servers.clone() };
        for workload in workloads {
            let workload = Measured { taken: Some(Box::new(taken.clone())), ..workload };
            match self.workloads.iter_mut().find(|old| old.key == workload.key) {
                Some(old) => *old = workload,
                None => self.workloads.push(workload),
            }
        }
        for server in servers {
            if !self.servers.iter().any(|old| old.key == server.key) {
                self.servers.push(server);
            }
        }
    }

    pub(crate) fn measured(&self, key: &str) -> Option<&Measured> {
        self.workloads.iter().find(|workload| workload.key == key)
    }
}

impl Measured {
    pub(crate) fn runs_of(&self, server: &str) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.server == server)
    }

    /// A server's figure of each round; none at all when one of its runs has a fault, which would flatter it.
    pub(crate) fn figures(&self, server: &str, figure: Figure) -> Vec<(usize, f64)> {
        if self.fault(server).is_some() {
            return Vec::new();
        }
        let runs = self.runs_of(server);
        runs.filter_map(|run| Some((run.round, figure(run.report.as_ref()?)?))).collect()
    }

    pub(crate) fn median(&self, server: &str, figure: Figure) -> Option<f64> {
        median(&figures(&self.figures(server, figure)))
    }

    pub(crate) fn range(&self, server: &str, figure: Figure) -> Option<(f64, f64)> {
        range(&figures(&self.figures(server, figure)))
    }

    /// The medians of two servers, one by the other.
    pub(crate) fn ratio(&self, server: &str, other: &str, figure: Figure) -> Option<f64> {
        let (ours, theirs) = (self.median(server, figure)?, self.median(other, figure)?);
        (theirs > 0.0).then(|| ours / theirs)
    }

    /// The lowest and highest ratio of a round.
    pub(crate) fn ratios(&self, server: &str, other: &str, figure: Figure) -> Option<(f64, f64)> {
        let others = self.figures(other, figure);
        let ratios: Vec<f64> = self
            .figures(server, figure)
            .into_iter()
            .filter_map(|(round, ours)| {
                let (_, theirs) = others.iter().find(|(other, _)| *other == round)?;
                (*theirs > 0.0).then(|| ours / theirs)
            })
            .collect();
        range(&ratios)
    }

    /// What went wrong with a server, in its first bad round.
    pub(crate) fn fault(&self, server: &str) -> Option<&str> {
        self.runs_of(server).find_map(|run| run.fault.as_deref())
    }
}

fn figures(rounds: &[(usize, f64)]) -> Vec<f64> {
    rounds.iter().map(|(_, figure)| *figure).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    fn cost(report: &Value) -> Option<f64> {
        report["cost"].as_f64()
    }

    pub(crate) fn measured(figures: &[(&str, usize, f64)]) -> Measured {
        let runs = figures.iter().map(|(server, round, figure)| Run {
            server: (*server).to_owned(),
            round: *round,
            report: Some(json!({ "cost": figure })),
            fault: None,
        });
        Measured {
            key: "fanout-1000-w1".to_owned(),
            title: "fan-out".to_owned(),
            note: None,
            command: "narrows bench".to_owned(),
            taken: None,
            runs: runs.collect(),
        }
    }

    #[test]
    fn a_ratio_is_that_of_the_medians_and_its_range_that_of_the_rounds() {
        let both = [("a", 1, 1.0), ("b", 1, 2.0), ("a", 2, 3.0), ("b", 2, 4.0), ("a", 3, 2.0), ("b", 3, 8.0)];
        let measured = measured(&both);
        assert_eq!(measured.ratio("a", "b", cost), Some(0.5));
        assert_eq!(measured.ratios("a", "b", cost), Some((0.25, 0.75)));
        assert_eq!(measured.ratio("a", "nobody", cost), None);
    }

    #[test]
    fn what_is_measured_later_takes_the_place_of_the_same_and_says_where_it_is_from() {
        let mut results = crate::page::tests::results();
        let mut later = crate::page::tests::results();
        later.machine.date = "2027-01-01".to_owned();
        later.workloads.retain(|workload| workload.key == "connect");
        later.workloads.push(Measured { key: "redis-fanout-1000".to_owned(), ..measured(&[("a", 1, 1.0)]) });
        later.servers.push(ServerFacts { key: "a".to_owned(), ..later.servers[0].clone() });
        let (workloads, servers) = (results.workloads.len(), results.servers.len());
        results.merge(later);
        assert_eq!((results.workloads.len(), results.servers.len()), (workloads + 1, servers + 1));
        let dates =
            results.workloads.iter().map(|workload| Some(workload.taken.as_ref()?.machine.date.as_str()));
        let later: Vec<_> = results
            .workloads
            .iter()
            .zip(dates)
            .filter_map(|(w, date)| Some((w.key.as_str(), date?)))
            .collect();
        assert_eq!(later, [("connect", "2027-01-01"), ("redis-fanout-1000", "2027-01-01")]);
        assert_eq!(results.machine.date, "2026-01-01");
    }

    #[test]
    fn rounds_that_only_one_of_two_has_make_no_ratio() {
        let measured = measured(&[("a", 1, 1.0), ("a", 2, 9.0), ("b", 2, 3.0)]);
        assert_eq!(measured.ratios("a", "b", cost), Some((3.0, 3.0)));
    }

    #[test]
    fn a_server_that_failed_once_has_no_figure() {
        let mut measured = measured(&[("a", 1, 1.0), ("a", 2, 2.0)]);
        measured.runs[1].fault = Some("7 lost".to_owned());
        assert_eq!(measured.median("a", cost), None);
        assert_eq!(measured.fault("a"), Some("7 lost"));
    }
}
