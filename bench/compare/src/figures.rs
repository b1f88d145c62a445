use serde_json::Value;

use crate::results::Figure;
use crate::workload::TWO_PINGS;

/// A column of a workload's table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) figure: Figure,
    /// Whether more of it is better.
    pub(crate) more_is_better: bool,
}

pub(crate) const CPU: Column = Column {
    name: "CPU s per million deliveries",
    figure: |report| number(report, "/server/cpu_seconds_per_million"),
    more_is_better: false,
};
pub(crate) const TAIL: Column = Column {
    name: "p99 / p50",
    figure: |report| Some(number(report, "/latency_micros/p99")? / number(report, "/latency_micros/p50")?),
    more_is_better: false,
};
pub(crate) const MEMORY: Column = Column {
    name: "KiB resident for each",
    figure: |report| number(report, "/kib_per_connection"),
    more_is_better: false,
};
pub(crate) const IDLE_CPU: Column = Column {
    name: "CPU µs for each a second",
    figure: |report| {
        // In less time than two pings there may be none.
        let long = number(report, "/held_seconds")? >= TWO_PINGS;
        long.then(|| number(report, "/cpu_micros_per_connection_second"))?
    },
    more_is_better: false,
};
pub(crate) const CYCLES: Column = Column {
    name: "cycles a second",
    figure: |report| number(report, "/cycles_per_second"),
    more_is_better: true,
};
pub(crate) const SLOWED: Column = Column {
    name: "p99 of the others / p99 without",
    figure: |report| number(report, "/p99_ratio"),
    more_is_better: false,
};
pub(crate) const STALLED_MEMORY: Column = Column {
    name: "KiB more for each that never reads",
    figure: |report| {
        let grown = number(report, "/resident_kib_peak")? - number(report, "/resident_kib_before")?;
        Some(grown / number(report, "/stalled")?)
    },
    more_is_better: false,
};

pub(crate) const PER_CPU_SECOND: Column = Column {
    name: "deliveries per CPU second",
    figure: |report| {
        let cost = number(report, "/server/cpu_seconds_per_million")?;
        (cost > 0.0).then(|| 1e6 / cost)
    },
    more_is_better: true,
};

const BACKEND: Column = Column {
    name: "Redis, CPU s per million",
    figure: |report| number(report, "/backend/cpu_seconds_per_million"),
    more_is_better: false,
};
const PUBLISHER: Column = Column {
    name: "of it the publisher",
    figure: |report| number(report, "/publisher/cpu_seconds_per_million"),
    more_is_better: false,
};
const RECEIVERS: Column = Column {
    name: "of it the receivers",
    figure: |report| number(report, "/receivers/cpu_seconds_per_million"),
    more_is_better: false,
};
const PUBLISHES: Column = Column {
    name: "messages published a second",
    figure: |report| number(report, "/publishes_per_second"),
    more_is_better: true,
};
const RATE: Column = Column {
    name: "deliveries a second",
    figure: |report| number(report, "/deliveries_per_second"),
    more_is_better: true,
};
const P50: Column =
    Column {
        name: "p50, µs", figure: |report| number(report, "/latency_micros/p50"), more_is_better: false
    };
const P99: Column =
    Column {
        name: "p99, µs", figure: |report| number(report, "/latency_micros/p99"), more_is_better: false
    };
const GENERATOR: Column = Column {
    name: "generator, % of its core",
    figure: |report| Some(number(report, "/generator/share_of_a_core")? * 100.0),
    more_is_better: false,
};
const CYCLE_CPU: Column = Column {
    name: "CPU s per million cycles",
    figure: |report| number(report, "/server/cpu_seconds_per_million"),
    more_is_better: false,
};
const BEFORE: Column = Column {
    name: "p99 without, µs",
    figure: |report| number(report, "/without/latency_micros/p99"),
    more_is_better: false,
};
const BESIDE: Column = Column {
    name: "p99 with, µs",
    figure: |report| number(report, "/with/latency_micros/p99"),
    more_is_better: false,
};
const ENDED: Column = Column {
    name: "of them closed",
    figure: |report| number(report, "/stalled_ended"),
    more_is_better: true,
};

/// What a workload is about, the figure that counts first.
pub(crate) fn columns(workload: &str) -> &'static [Column] {
    let mut words = workload.split('-');
    match words.next() {
        Some("redis") if matches!(words.next(), Some("layers" | "consumers")) => {
            &[CPU, PUBLISHER, RECEIVERS, BACKEND, PUBLISHES, RATE, PER_CPU_SECOND]
        }
        Some("redis") => &[CPU, BACKEND, RATE, P50, P99, GENERATOR, PER_CPU_SECOND],
        Some("rooms") => &[CPU, RATE, P50, P99, TAIL, GENERATOR],
        Some("idle") => &[MEMORY, IDLE_CPU],
        Some("connect") => &[CYCLES, CYCLE_CPU, GENERATOR],
        Some("slow") => &[SLOWED, BEFORE, BESIDE, STALLED_MEMORY, ENDED],
        _ => &[CPU, RATE, P50, P99, GENERATOR],
    }
}

/// Three digits that mean something.
pub(crate) fn written(figure: f64) -> String {
    match figure.abs() {
        size if size >= 10_000.0 => crate::workload::thousands(figure.round() as usize),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

fn number(report: &Value, pointer: &str) -> Option<f64> {
    report.pointer(pointer)?.as_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_cpu_of_idle_connections_is_believed_only_after_two_pings() {
        let after = |seconds: f64| {
            (IDLE_CPU.figure)(&json!({"held_seconds": seconds, "cpu_micros_per_connection_second": 1.5}))
        };
        assert_eq!(after(TWO_PINGS), Some(1.5));
        assert_eq!(after(2.0), None);
    }

    #[test]
    fn figures_are_written_with_the_digits_that_mean_something() {
        let all = [0.123, 1.234, 12.34, 123.4, 12_345.6].map(written);
        assert_eq!(all, ["0.12", "1.23", "12.3", "123", "12\u{a0}346"]);
        assert_eq!(written(-0.5), "-0.50");
    }
}
