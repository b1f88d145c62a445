//! What is to be reached: one table, and what a run says of it.

use std::fmt;

use crate::figures::{
    CPU, CYCLES, Column, IDLE_CPU, MEMORY, PER_CPU_SECOND, SLOWED, STALLED_MEMORY, TAIL, written,
};
use crate::on_redis::{CHANNELS_CORE, CHANNELS_PUBSUB, CORE, PUBSUB, TWO_NODES};
use crate::results::Results;
use crate::servers::{AXUM, BUN, CHANNELS, OURS};

/// One thing to reach.
#[derive(Debug)]
pub(crate) struct Goal {
    /// Who is to reach it, by key.
    pub(crate) who: &'static str,
    pub(crate) workload: &'static str,
    pub(crate) column: Column,
    pub(crate) bound: Bound,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most so many times what the best of these has.
    Times(f64, &'static [&'static str]),
    /// At least so many times what this one has.
    NoLessThan(f64, &'static str),
    /// At most this, whatever others have.
    Most(f64),
}

/// Memory that a connection which never reads may take: what the setting `outbox_bytes` declares, in KiB, and what any
/// connection takes.
const DECLARED_KIB: f64 = 1024.0 + 4.0;

pub(crate) const GOALS: &[Goal] = &[
    goal("fanout-1000-w1", CPU, Bound::Times(0.95, &[BUN])),
    goal("fanout-1000-w1", CPU, Bound::Times(0.75, &[AXUM])),
    goal("fanout-1000-w1", CPU, Bound::Times(0.01, CHANNELS)),
    goal("fanout-1000-w8", CPU, Bound::Times(1.0, &[BUN])),
    goal("fanout-1000-w8", CPU, Bound::Times(0.25, &[AXUM])),
    goal("rooms-1000x10", CPU, Bound::Times(0.95, &[BUN])),
    goal("rooms-1000x10", TAIL, Bound::Most(3.0)),
    goal("fanout-5000", CPU, Bound::Times(0.95, &[BUN])),
    goal("fanout-20000", CPU, Bound::Times(0.95, &[BUN])),
    goal("echo-100", CPU, Bound::Times(1.0, &[BUN])),
    goal("echo-1000", CPU, Bound::Times(0.95, &[BUN])),
    goal("idle-10000", MEMORY, Bound::Most(4.0)),
    goal("idle-10000", IDLE_CPU, Bound::Most(2.0)),
    goal("idle-100000", MEMORY, Bound::Most(4.0)),
    goal("idle-100000", IDLE_CPU, Bound::Most(2.0)),
    goal("connect", CYCLES, Bound::NoLessThan(1.0, BUN)),
    goal("slow-1000", SLOWED, Bound::Most(1.2)),
    goal("slow-1000", STALLED_MEMORY, Bound::Most(DECLARED_KIB)),
    of(PUBSUB, "redis-fanout-1000", PER_CPU_SECOND, Bound::NoLessThan(20.0, CHANNELS_PUBSUB)),
    of(CORE, "redis-fanout-1000", PER_CPU_SECOND, Bound::NoLessThan(5.0, CHANNELS_CORE)),
    of(TWO_NODES, "redis-fanout-1000", CPU, Bound::Times(1.3, &[OURS])),
    of(PUBSUB, "redis-consumers-1000", PER_CPU_SECOND, Bound::NoLessThan(20.0, CHANNELS_PUBSUB)),
    of(CORE, "redis-consumers-1000", PER_CPU_SECOND, Bound::NoLessThan(5.0, CHANNELS_CORE)),
    of(PUBSUB, "redis-layers-1000", PER_CPU_SECOND, Bound::NoLessThan(20.0, CHANNELS_PUBSUB)),
    of(CORE, "redis-layers-1000", PER_CPU_SECOND, Bound::NoLessThan(5.0, CHANNELS_CORE)),
];

const fn goal(workload: &'static str, column: Column, bound: Bound) -> Goal {
    of(OURS, workload, column, bound)
}

const fn of(who: &'static str, workload: &'static str, column: Column, bound: Bound) -> Goal {
    Goal { who, workload, column, bound }
}

/// What a run says of a goal.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The median of who is to reach it.
    pub(crate) ours: Option<f64>,
    /// The server that it was compared with, by key, and its median.
    pub(crate) other: Option<(&'static str, f64)>,
    /// What the bound is on: the ratio, or the median alone.
    pub(crate) value: Option<f64>,
    /// Its lowest and highest in a round.
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) verdict: Verdict,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// And why.
    Unknown(String),
}

impl Goal {
    pub(crate) fn judge(&self, results: &Results) -> Outcome {
        let unknown = |why: String| Outcome {
            ours: None,
            other: None,
            value: None,
            range: None,
            verdict: Verdict::Unknown(why),
        };
        let Some(measured) = results.measured(self.workload) else {
            return unknown("not part of this run".to_owned());
        };
        let (who, figure) = (self.who, self.column.figure);
        let Some(ours) = measured.median(who, figure) else {
            return match measured.fault(who) {
                // Whoever loses messages has not met the goal, whatever it cost.
                Some(fault) => Outcome { verdict: Verdict::Missed, ..unknown(fault.to_owned()) },
                None => unknown("not measured".to_owned()),
            };
        };
        let (others, met): (&[&'static str], Box<dyn Fn(f64) -> bool>) = match self.bound {
            Bound::Most(most) => {
                return Outcome {
                    ours: Some(ours),
                    other: None,
                    value: Some(ours),
                    range: measured.range(who, figure),
                    verdict: if ours <= most { Verdict::Met } else { Verdict::Missed },
                };
            }
            Bound::Times(most, others) => (others, Box::new(move |ratio| ratio <= most)),
            Bound::NoLessThan(least, ref other) => {
                (std::slice::from_ref(other), Box::new(move |ratio| ratio >= least))
            }
        };
        let medians = others.iter().filter_map(|other| Some((*other, measured.median(other, figure)?)));
        let Some((other, theirs)) = medians.min_by(|(_, one), (_, two)| one.total_cmp(two)) else {
            let why = others.iter().find_map(|other| measured.fault(other)).unwrap_or("not measured");
            return Outcome { ours: Some(ours), ..unknown(format!("{}: {why}", others.join(", "))) };
        };
        let ratio = measured.ratio(who, other, figure);
        Outcome {
            ours: Some(ours),
            other: Some((other, theirs)),
            value: ratio,
            range: measured.ratios(who, other, figure),
            verdict: match ratio {
                Some(ratio) if met(ratio) => Verdict::Met,
                Some(_) => Verdict::Missed,
                None => Verdict::Unknown("no ratio to nothing".to_owned()),
            },
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |key: &str| match key {
            BUN => "Bun",
            AXUM => "axum",
            OURS => "in memory",
            _ => "Channels",
        };
        match self {
            Self::Times(times, others) => write!(f, "≤ {times:.2} × {}", short(others[0])),
            Self::NoLessThan(times, other) => write!(f, "≥ {times:.2} × {}", short(other)),
            Self::Most(most) => write!(f, "≤ {}", written(*most)),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met => f.write_str("met"),
            Self::Missed => f.write_str("**not met**"),
            Self::Unknown(why) => write!(f, "unknown ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::results;

    fn outcome(results: &Results, workload: &str, bound: &str) -> Outcome {
        let goal = GOALS.iter().find(|goal| goal.workload == workload && goal.bound.to_string() == bound);
        goal.unwrap().judge(results)
    }

    #[test]
    fn a_ratio_decides_either_way() {
        let results = results();
        let bun = outcome(&results, "fanout-1000-w1", "≤ 0.95 × Bun");
        assert_eq!((bun.verdict, bun.value), (Verdict::Met, Some(0.9)));
        let axum = outcome(&results, "fanout-1000-w1", "≤ 0.75 × axum");
        assert_eq!((axum.verdict, axum.value), (Verdict::Missed, Some(0.9)));
        assert_eq!(outcome(&results, "connect", "≥ 1.00 × Bun").verdict, Verdict::Missed);
    }

    #[test]
    fn of_several_servers_the_best_is_the_one_to_beat() {
        let results = results();
        let channels = outcome(&results, "fanout-1000-w1", "≤ 0.01 × Channels");
        assert_eq!(channels.other, Some(("channels-granian", 200.0)));
        assert_eq!(channels.verdict, Verdict::Met);
    }

    #[test]
    fn whoever_loses_messages_has_missed_the_goal_and_what_was_not_measured_is_unknown() {
        let mut results = results();
        for run in results.workloads.iter_mut().flat_map(|workload| &mut workload.runs) {
            if run.server == OURS {
                run.fault = Some("lost 1".to_owned());
            }
        }
        assert_eq!(outcome(&results, "fanout-1000-w1", "≤ 0.95 × Bun").verdict, Verdict::Missed);
        let unknown = outcome(&results, "echo-100", "≤ 1.00 × Bun").verdict;
        assert!(matches!(unknown, Verdict::Unknown(_)));
    }
}
