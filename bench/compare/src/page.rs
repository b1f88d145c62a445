use std::fmt::Write;

use crate::workload::{Costs, Workload};
use crate::{Arguments, machine};

/// The medians side by side, with the ratio that counts.
pub(crate) fn table(workloads: &[Workload], costs: &[Costs]) -> String {
    let mut table = String::from(
        "| workload | measured | one `send` each | Narrows | axum's chat example | Narrows / axum | rounds |\n|---|---|---|---|---|---|---|\n",
    );
    for (workload, Costs { ours, peer, floor }) in workloads.iter().zip(costs) {
        let ratios: Vec<f64> = ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
        let (low, high) =
            ratios.iter().fold((f64::MAX, f64::MIN), |(low, high), r| (low.min(*r), high.max(*r)));
        let (ours, peer, floor) = (median(ours), median(peer), median(floor));
        let ratio = ours / peer;
        let Workload { name, unit, .. } = workload;
        let row = writeln!(
            table,
            "| {name} | {unit} | {floor:.2} | {ours:.2} | {peer:.2} | **{ratio:.3}** | {low:.3}–{high:.3} |"
        );
        row.expect("a string takes everything");
    }
    table
}

/// The middle one, or the mean of the two in the middle.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The whole of `docs/performance.md`.
pub(crate) fn page(table: &str, arguments: &Arguments) -> String {
    let Arguments { members, bytes, rounds, seconds, connections, .. } = arguments;
    let commands: String =
        Workload::all(arguments).iter().map(|workload| workload.command() + "\n").collect();
    let pinning = if machine::can_pin() {
        "Each server ran on the first core (`taskset -c 0`), the load generator on the second"
    } else {
        "Servers and load generator shared all cores"
    };
    format!(
        "# Performance

What a message to many costs, beside the chat example that comes with axum (0.8, feature `ws`, one
`tokio::sync::broadcast` channel; `bench/peers/axum-chat`). Both are built with the same profile and allocator.

{table}
Lower is better. Absolute figures mean something on this machine only; the ratio is what to look at. The last column
has the lowest and highest ratio of a round. \"One `send` each\" is no server but a floor (`bench/peers/floor`): one thread
that does nothing for a message but one system call for each member: at window 1 nothing that writes to each socket can
cost much less.

- Measured {date} on {machine}. {pinning}.
- Medians of {rounds} rounds in which the servers took turns, {seconds} s each, with a fresh process each time.
- Closed loop: the first member publishes, and the next message goes out when all members have the one that is a
  *window* before it. Every delivery is checked: none was lost, came twice or out of order.
- CPU time is that of the server process, user and system, from `/proc/<pid>/stat`. The kernel's work for a `send`,
  with the receiving half of loopback TCP, is in it: at window 1 that is nearly all there is, as the floor shows.
- At window 8 several messages are due to a member at once. Narrows writes them with one system call, after having
  joined them once for all members.
- Narrows does more for a message than its peer: it reads it as JSON, passes it through the channel layer in msgpack and
  writes it as JSON again, once each, whatever the number of members.

## To repeat it

```console
cargo run --release -p compare -- --members {members} --bytes {bytes} --rounds {rounds} --seconds {seconds} --connections {connections} --out docs/performance.md
```

For each server that runs:

```console
{commands}```

`cargo bench -p narrows --features internals` has the engine's own cost without a kernel.

## What is not measured

A network, TLS, compression, many cores, clients that read slowly, Redis between nodes, and latency under a load that does
not wait for its answers.
",
        date = machine::today(),
        machine = machine::description(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_bad_round() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), 3.0);
    }
}
