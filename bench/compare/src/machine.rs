use std::fs;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::build::root;

/// What the numbers depend on besides the programs; nothing that names the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    /// Of what was measured; older results do not say.
    #[serde(default)]
    pub(crate) commit: Option<String>,
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) congestion_control: String,
    /// Whether server and generator had a core each.
    pub(crate) pinned: bool,
    /// How many files one process may open.
    pub(crate) files: u64,
    pub(crate) rustc: String,
}

impl Machine {
    pub(crate) fn detect() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            date: first_line(Command::new("date").args(["-u", "+%F"])).unwrap_or_default(),
            commit: first_line(Command::new("git").current_dir(root()).args([
                "describe",
                "--always",
                "--dirty",
                "--exclude=*",
            ])),
            cores: cores(),
            processor: model.map_or("unknown processor", |(_, model)| model).to_owned(),
            kernel: kernel.split('-').next().unwrap_or_default().trim().to_owned(),
            congestion_control: read("/proc/sys/net/ipv4/tcp_congestion_control").trim().to_owned(),
            pinned: can_pin(),
            files: rlimit::Resource::NOFILE.get_hard().unwrap_or_default(),
            rustc: first_line(Command::new("rustc").arg("--version")).unwrap_or_default(),
        }
    }
}

/// Raises this program's limit of open files, which the servers inherit, and gives how many connections a process can
/// hold under it.
pub(crate) fn connections() -> usize {
    /// What a server needs besides; the slowest of them open some files a thread.
    const SPARE: u64 = 500;
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    usize::try_from(files.saturating_sub(SPARE)).unwrap_or(usize::MAX)
}

/// The core for what neither serves nor loads: its own where there is one, else that of the load generator, so that
/// the servers' core is theirs alone.
pub(crate) fn beside_the_servers() -> usize {
    if cores() > 2 { 2 } else { 1 }
}

/// A command that stays on one core, where the system has `taskset` and a second core.
pub(crate) fn pinned(core: usize, program: &std::path::Path) -> Command {
    if !can_pin() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// The first line that a program prints, if it runs at all.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn can_pin() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| cores() > 1 && first_line(Command::new("taskset").arg("--version")).is_some())
}
