//! What the numbers depend on besides the programs.

use std::fs;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Whether server and generator can have a core each.
pub(crate) fn can_pin() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let quiet =
            Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        cores() > 1 && quiet.is_ok_and(|status| status.success())
    })
}

/// Cores, processor, kernel and TCP; nothing that names the machine.
pub(crate) fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, m)| m);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let congestion = read("/proc/sys/net/ipv4/tcp_congestion_control");
    format!(
        "{} cores ({}), Linux {kernel}, loopback, TCP congestion control {}",
        cores(),
        model.unwrap_or("unknown processor"),
        congestion.trim()
    )
}

pub(crate) fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output();
    date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
