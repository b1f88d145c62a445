use super::tables;
use crate::machine::Machine;
use crate::results::Results;
use crate::workload::is_on_redis;

/// What the page is about, before the first table.
pub(crate) fn beginning(results: &Results) -> String {
    let machine = &results.machine;
    format!(
        "# Performance

Narrows beside other servers, measured in one run on one machine{but}: {date}{commit}, {cores} cores ({processor}), Linux {kernel},
loopback. Each server ran on {where_it_ran}. Absolute figures mean something on this machine only; what to look at is
the ratio of two medians of the same run.

This page is written by `cargo xtask bench`; [the raw results](performance/results.json) are beside it.
[Where the time of one delivery goes](profile.md) is a page of its own.

## Goals

What is to be reached, whether it was or not. \"Rounds\" has the lowest and highest of a round.

",
        but = if results.workloads.iter().any(|workload| workload.taken.is_some()) {
            ", but for what says that it is from another"
        } else {
            ""
        },
        date = machine.date,
        commit = commit(machine),
        cores = machine.cores,
        processor = machine.processor,
        kernel = machine.kernel,
        where_it_ran = if machine.pinned {
            "the first core, the load generator on the second"
        } else {
            "the cores that the load generator ran on too"
        },
    )
}

/// Which commit was measured, as an aside.
pub(super) fn commit(machine: &Machine) -> String {
    machine.commit.as_ref().map_or_else(String::new, |commit| format!(", commit {commit}"))
}

/// What the figures over Redis are.
pub(super) const ON_REDIS: &str = "
## Redis

Both Redis layers of Narrows beside those of channels_redis, on one Redis (`redis-server` without persistence), which is emptied
before each measurement.

- **With sockets**, the servers of the tables above are on another channel layer, and everything else is as there. Narrows in
  memory takes its turns among them. \"Two nodes\" are two server processes on one core with half of the members each: their CPU
  time is one sum, and every message comes to both over Redis. A window of 1 keeps what waits below the 100 messages at which
  channels_redis' core layer drops.
- **Without sockets**, two processes: one publishes from 16 tasks to one group, the other has the receivers of the group
  (`bench/layers`, `bench/peers/channels/layers.py`). Whenever all receivers have another message, their process sends the
  publisher a byte; at most 16 messages are on their way. A receiver of Narrows is always a consumer that listens
  (`Connection::listen`): each message is decoded for it alone, in its own task, and handed to its `event`. \"Consumers\" has it
  beside the same thing in Channels, an `AsyncConsumer` with a handler (`layers.py receive --consumers`). \"Receivers\" has it beside less: a bare loop over the
  layer's `receive()`, without a consumer around it. Python runs on uvloop, with hiredis. Members that join, not listen, get one
  frame for all of them: what they cost is measured with sockets.
- **CPU time** of the servers, or of both processes together, is in the first column; that of Redis is beside it and in no sum.
  Redis has a core of its own where there are three, else that of the load generator, or of the publisher.

";

/// Between the goals and the figures.
pub(crate) const BETWEEN: &str = "
## Side by side

Medians. For CPU time, memory and latency less is better, for cycles a second more.

";

/// What the figures mean, how to get them again, and what they do not say.
pub(crate) fn end(results: &Results) -> String {
    let machine = &results.machine;
    format!(
        "
## How it is measured

- `narrows bench`, one thread with one epoll, loads each server in turn, round after round, each time a fresh process.
  {pinning}
- **CPU time** is that of all processes of the server, user and system, from `/proc/<pid>/stat`, over the time of the
  measurement; it counts in hundredths of a second. The kernel's work for a `send`, with the receiving half of
  loopback TCP, is in it. The load generator's is not.
- Closed loop: a room's next message goes out when all its members have the one that is a *window* before it. Every
  delivery is checked; a server that lost one, or delivered one twice or out of order, has no figure but that.
- Rates and latencies are those of a server and a generator that wait for each other; where the generator needs all of
  its core, they are its own. CPU time is the figure to trust.
- **Memory** is what the resident set of the server grew by from the first connection to all of them, shared out. The
  kernel's own memory for sockets is not in it.
- The CPU time of idle connections is measured over 52 s, in which each is pinged twice; only for Narrows. The others are
  held for a shorter time.
- A connection that never reads has a small receive buffer, so that the server's own queue fills. Narrows ends it when
  `outbox_bytes` (1 MiB) or `outbox_messages` (4096) are due to it.
- Faster servers take part in every round, slower ones in a third of them: Channels, and only where it gets through.
  What takes long to set up has three rounds at most.
- \"One `send` each\" is no server but a floor: one thread that does nothing for a message but one system call for each
  member. At window 1 nothing that writes to each socket can cost much less.
- Compression is off everywhere, `TCP_NODELAY` on, no access log is written. Our programs in Rust and the peers in Rust have
  the same profile and the same allocator (mimalloc); {rustc}.
- Narrows and Channels read a message as JSON and write it as JSON again; Bun, `ws` and axum's example pass the text through.
- TCP congestion control {congestion}; a process may open {files} files.

## Servers

{servers}
## To repeat it

```console
{command}
```

took {minutes:.0} minutes. It installs what is missing; `--list` has the workloads and servers, `--only` and `--servers` choose
among them, `--quick` is a look within minutes, `--merge` puts what is measured into the results that are there, `--from docs/performance/results.json` writes this page again without
measuring. The command below each table is for one server that runs; those for Socket.IO have `--envelope socket-io`,
two nodes a second `--url` and `--pid`.
`cargo bench -p narrows --features internals` has the engine's own cost without a kernel.

## What is not measured

A network, TLS, compression, more than one core for a server, {redis}clients that come
through a proxy, large messages, and latency under a load that does not wait for its answers (but for the readers beside
those that never read).
",
        pinning = if machine.pinned {
            "The server had the first core (`taskset -c 0`), the generator the second (`taskset -c 1`)."
        } else {
            "There were no two cores to pin them to."
        },
        redis = if results.workloads.iter().any(|workload| is_on_redis(&workload.key)) {
            "several Redis servers, "
        } else {
            "Redis or another layer between nodes, "
        },
        rustc = machine.rustc,
        congestion = machine.congestion_control,
        files = machine.files,
        servers = tables::servers(results),
        command = results.command,
        minutes = results.minutes,
    )
}
