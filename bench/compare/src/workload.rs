use std::error::Error;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::Arguments;
use crate::server::{Server, pinned};

/// One thing that is measured, with the arguments of `narrows bench` that do it.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    arguments: Vec<String>,
    /// Where the figure is in the report.
    figure: &'static str,
}

/// A figure a round for each server.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    pub(crate) ours: Vec<f64>,
    pub(crate) peer: Vec<f64>,
    pub(crate) floor: Vec<f64>,
}

/// What tells a report of a load that got through from one that did not.
#[derive(Deserialize)]
struct Faults {
    lost: u64,
    duplicated: u64,
    out_of_order: u64,
}

impl Workload {
    pub(crate) fn all(arguments: &Arguments) -> Vec<Self> {
        let Arguments { members, bytes, seconds, connections, .. } = arguments;
        let fanout = |window: usize| Self {
            name: format!("1 group of {members}, {bytes} bytes, window {window}"),
            unit: "CPU s per million deliveries",
            arguments: format!(
                "fanout --members {members} --bytes {bytes} --window {window} --seconds {seconds}"
            )
            .split(' ')
            .map(str::to_owned)
            .collect(),
            figure: "/server/cpu_seconds_per_million",
        };
        let idle = Self {
            name: format!("{connections} idle members of one group"),
            unit: "KiB resident for each",
            arguments: format!("idle --connections {connections}").split(' ').map(str::to_owned).collect(),
            figure: "/kib_per_connection",
        };
        vec![fanout(1), fanout(8), idle]
    }

    /// The exact command, for whoever wants to repeat it.
    pub(crate) fn command(&self) -> String {
        format!(
            "narrows bench {} --url ws://<address>/ws/chat/bench/ --pid <server>",
            self.arguments.join(" ")
        )
    }

    pub(crate) fn measure(&self, narrows: &Path, server: &Server) -> Result<f64, Box<dyn Error>> {
        let output = pinned(1, narrows)
            .arg("bench")
            .args(&self.arguments)
            .args(["--url", &format!("ws://{}/ws/chat/bench/", server.address)])
            .args(["--pid", &server.pid().to_string(), "--json"])
            .output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr).trim()))?;
        if let Ok(Faults { lost, duplicated, out_of_order }) = serde_json::from_value(report.clone())
            && lost + duplicated + out_of_order > 0
        {
            return Err(format!("{}: {lost} lost, {duplicated} twice, {out_of_order} late", self.name).into());
        }
        let figure = report.pointer(self.figure).and_then(Value::as_f64);
        figure.ok_or_else(|| format!("no {} in {report}", self.figure).into())
    }
}
