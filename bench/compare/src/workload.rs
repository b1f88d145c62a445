use crate::servers::{Dialect, Layer, OURS, Pace, Row};

/// How large everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Full,
    /// For a look: the same loads, for a shorter time.
    Quick,
    /// To see that everything works; its figures mean nothing.
    Smoke,
}

/// One thing that is measured.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) key: &'static str,
    pub(crate) load: Load,
    /// Which servers it makes sense for.
    for_whom: Audience,
    /// At most so many rounds.
    most_rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) warm_up: f64,
    /// Where it is not what its name says.
    pub(crate) note: Option<String>,
}

/// What the generator does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    Fanout {
        members: usize,
        window: usize,
    },
    Rooms {
        rooms: usize,
        members: usize,
    },
    Echo {
        connections: usize,
    },
    /// In so many processes at the same time, each with so many connections.
    Idle {
        processes: usize,
        connections: usize,
    },
    Connect {
        concurrency: usize,
    },
    Slow {
        members: usize,
        stalled: usize,
        rate: usize,
        bytes: usize,
    },
    /// No sockets: one process publishes, the other has so many receivers. Those of Channels are consumers too, or
    /// loops over what the layer has for them.
    Layers {
        receivers: usize,
        window: usize,
        consumers: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Fast,
    FastAndFloor,
    FastAndFloors,
    FastAndSlow,
    FastSlowAndFloor,
    Ours,
    /// On Redis, one node each.
    Redis,
    /// On Redis, several nodes too, and beside them ours in memory.
    RedisAndOurs,
}

/// Two rounds of pings, which come every 25 s, and the time over which they are spread; the third comes later.
pub(crate) const TWO_PINGS: f64 = 52.0;

const BYTES: usize = 128;

/// Whether a workload is about channel layers on Redis, by its key.
pub(crate) fn is_on_redis(key: &str) -> bool {
    key.starts_with("redis-")
}

impl Workload {
    /// All of them, where a process can hold so many connections.
    pub(crate) fn all(scale: Scale, limit: usize) -> Vec<Self> {
        use Audience::{Fast, FastAndFloor, FastAndFloors, FastAndSlow, FastSlowAndFloor, Ours};
        let smoke = scale == Scale::Smoke;
        let of = |full: usize, tiny: usize| if smoke { tiny } else { full };
        let most = of(20_000, 30).min(limit);
        let mut workloads = vec![
            Self::new(
                "fanout-1000-w1",
                Load::Fanout { members: of(1000, 20), window: 1 },
                FastSlowAndFloor,
                scale,
            ),
            Self::new(
                "fanout-1000-w8",
                Load::Fanout { members: of(1000, 20), window: 8 },
                FastAndFloors,
                scale,
            ),
            Self::new("rooms-1000x10", Load::Rooms { rooms: of(1000, 4), members: of(10, 5) }, Fast, scale),
            Self::new(
                "fanout-5000",
                Load::Fanout { members: of(5000, 25).min(limit), window: 1 },
                FastAndFloor,
                scale,
            )
            .rounds(3),
            Self::new("fanout-20000", Load::Fanout { members: most, window: 1 }, FastAndFloor, scale)
                .rounds(3)
                .lasting(3.0, scale)
                .noting(|| (most < of(20_000, 30)).then(|| only_so_many(most, limit))),
            Self::new("echo-100", Load::Echo { connections: of(100, 5) }, FastAndSlow, scale),
            Self::new("echo-1000", Load::Echo { connections: of(1000, 10) }, FastAndSlow, scale),
            Self::new(
                "idle-10000",
                Load::Idle { processes: 1, connections: of(10_000, 20).min(limit) },
                FastAndSlow,
                scale,
            )
            .rounds(2),
            Self::new("connect", Load::Connect { concurrency: of(64, 4) }, FastAndSlow, scale),
            Self::new(
                "slow-1000",
                Load::Slow {
                    members: of(1000, 20),
                    stalled: of(100, 2),
                    // Sockets on loopback take 2.5 MB before they are full. More than that and the server's own bound
                    // has to be due to each within the time: what is measured is what happens then.
                    rate: 50,
                    bytes: of(16 * 1024, BYTES),
                },
                Fast,
                scale,
            )
            .rounds(3)
            .lasting(5.0, scale),
        ];
        // A second machine's worth of connections takes a minute to hold; who only wants a look does without.
        if scale != Scale::Quick {
            let processes = of(100_000, 40).div_ceil(of(limit, 20)).max(1);
            // Whole thousands, so that what is said of it reads well.
            let unit = of(1000, 1);
            let connections = (of(100_000, 40) / processes).div_ceil(unit) * unit;
            let connections = connections.min(limit);
            workloads.push(
                Self::new("idle-100000", Load::Idle { processes, connections }, Ours, scale).rounds(1).noting(
                    || {
                        (processes > 1).then(|| {
                            format!(
                                "{processes} server processes with {connections} connections each, and as many load \
                             generators, at the same time: a process may open {limit} files and some here"
                            )
                        })
                    },
                ),
            );
        }
        workloads.extend(Self::on_redis(scale));
        workloads
    }

    /// Those for channel layers on Redis. What waits in Redis is less than the 100 messages that channels_redis allows a
    /// process, so that none is dropped.
    fn on_redis(scale: Scale) -> [Self; 6] {
        use Audience::{Redis, RedisAndOurs};
        let of = |full: usize, tiny: usize| if scale == Scale::Smoke { tiny } else { full };
        let layers = |key, receivers, consumers| {
            let load = Load::Layers { receivers, window: 16, consumers };
            Self::new(key, load, Redis, scale).rounds(3)
        };
        [
            Self::new(
                "redis-fanout-1000",
                Load::Fanout { members: of(1000, 20), window: 1 },
                RedisAndOurs,
                scale,
            ),
            Self::new(
                "redis-rooms-50x10",
                Load::Rooms { rooms: of(50, 4), members: of(10, 5) },
                RedisAndOurs,
                scale,
            )
            .rounds(3),
            layers("redis-consumers-1000", of(1000, 20), true),
            layers("redis-layers-1", 1, false),
            layers("redis-layers-100", of(100, 5), false),
            layers("redis-layers-1000", of(1000, 20), false),
        ]
    }

    fn new(key: &'static str, load: Load, for_whom: Audience, scale: Scale) -> Self {
        let warm_up = if scale == Scale::Smoke { 0.05 } else { 0.7 };
        let it = Self { key, load, for_whom, most_rounds: usize::MAX, seconds: 0.0, warm_up, note: None };
        it.lasting(2.0, scale)
    }

    fn rounds(self, most_rounds: usize) -> Self {
        Self { most_rounds, ..self }
    }

    fn lasting(self, full: f64, scale: Scale) -> Self {
        let seconds = match scale {
            Scale::Full => full,
            Scale::Quick => full * 0.4,
            Scale::Smoke => 0.2,
        };
        Self { seconds, ..self }
    }

    fn noting(self, note: impl FnOnce() -> Option<String>) -> Self {
        Self { note: note(), ..self }
    }

    pub(crate) fn is_for(&self, row: &Row) -> bool {
        use Audience::{
            Fast, FastAndFloor, FastAndFloors, FastAndSlow, FastSlowAndFloor, Ours, Redis, RedisAndOurs,
        };
        let on_redis = row.layer != Layer::Memory;
        match (self.for_whom, row.pace) {
            (Redis, _) => on_redis && row.nodes == 1,
            (RedisAndOurs, _) => on_redis || row.key == OURS,
            _ if on_redis => false,
            (Ours, _) => row.key == OURS,
            (Fast | FastAndFloor | FastAndFloors | FastAndSlow | FastSlowAndFloor, Pace::Fast)
            | (FastAndSlow | FastSlowAndFloor, Pace::Slow)
            | (FastAndFloors, Pace::Floor { .. })
            | (FastAndFloor | FastSlowAndFloor, Pace::Floor { batched: false }) => true,
            (_, Pace::Slow | Pace::Floor { .. }) => false,
        }
    }

    /// How many of the rounds a server takes part in.
    pub(crate) fn rounds_for(&self, row: &Row, rounds: usize) -> usize {
        let most = match (row.pace, self.load) {
            (Pace::Slow, Load::Idle { .. }) => 1,
            (Pace::Slow, _) => rounds.div_ceil(3),
            _ => rounds,
        };
        rounds.min(self.most_rounds).min(most)
    }

    /// How long it is measured in this round. The processor's share of idle connections takes long to see, and is
    /// looked at once.
    pub(crate) fn seconds_for(&self, row: &Row, round: usize, scale: Scale) -> f64 {
        let ours = row.key == OURS;
        match self.load {
            Load::Idle { .. } if scale == Scale::Full && ours && round == 1 => TWO_PINGS,
            // A single message of a slow server takes a good part of a second.
            Load::Fanout { .. } | Load::Layers { .. } if row.pace == Pace::Slow && scale != Scale::Smoke => {
                self.seconds.max(3.0)
            }
            _ => self.seconds,
        }
    }

    /// What to call it.
    pub(crate) fn title(&self) -> String {
        let over = if is_on_redis(self.key) { ", over Redis" } else { "" };
        match self.load {
            Load::Fanout { members, window } => {
                format!("1 group of {}, {BYTES} bytes, window {window}{over}", thousands(members))
            }
            Load::Rooms { rooms, members } => {
                format!("{} rooms of {members}, {BYTES} bytes, all at once, window 1{over}", thousands(rooms))
            }
            Load::Echo { connections } => {
                format!("echo, {} connections, {BYTES} bytes", thousands(connections))
            }
            Load::Idle { processes, connections } => {
                format!("{} idle connections, each in a group of its own", thousands(processes * connections))
            }
            Load::Connect { concurrency } => format!("connect and close, {concurrency} at once"),
            Load::Slow { members, stalled, rate, bytes } => format!(
                "1 group of {}, of whom {stalled} never read; {rate} messages of {bytes} bytes a second",
                thousands(members)
            ),
            Load::Layers { receivers, window, consumers: true } => {
                format!(
                    "without sockets, {} consumers, {BYTES} bytes, window {window}{over}",
                    thousands(receivers)
                )
            }
            Load::Layers { receivers: 1, window, .. } => {
                format!("without sockets, 1 receiver, {BYTES} bytes, window {window}{over}")
            }
            Load::Layers { receivers, window, .. } => {
                format!(
                    "without sockets, {} receivers, {BYTES} bytes, window {window}{over}",
                    thousands(receivers)
                )
            }
        }
    }

    /// The arguments of `narrows bench`, up to what is known only of a running server. Without sockets, those of the half
    /// that publishes.
    pub(crate) fn arguments(&self, dialect: Dialect, seconds: f64) -> Vec<String> {
        let measured = format!("--warm-up {} --seconds {seconds}", self.warm_up);
        let text = match self.load {
            Load::Fanout { members, window } => {
                format!("fanout --members {members} --bytes {BYTES} --window {window} {measured}")
            }
            Load::Rooms { rooms, members } => {
                format!("rooms --rooms {rooms} --members {members} --bytes {BYTES} --window 1 {measured}")
            }
            Load::Echo { connections } => {
                format!("echo --connections {connections} --bytes {BYTES} --window 1 {measured}")
            }
            Load::Idle { connections, .. } => format!("idle --connections {connections} {measured}"),
            Load::Connect { concurrency } => format!("connect --concurrency {concurrency} {measured}"),
            Load::Slow { members, stalled, rate, bytes } => format!(
                "slow --members {members} --stalled {stalled} --rate {rate} --bytes {bytes} --rounds 1 {measured}"
            ),
            Load::Layers { receivers, window, .. } => {
                return words(&format!(
                    "--receivers {receivers} --window {window} --bytes {BYTES} {measured}"
                ));
            }
        };
        words(&format!("{text} --envelope {}", dialect.envelope()))
    }

    /// Where on the server it takes place.
    pub(crate) fn path(&self, dialect: Dialect) -> String {
        match self.load {
            Load::Fanout { .. } | Load::Slow { .. } => dialect.room("bench"),
            Load::Rooms { .. } => dialect.room("{room}"),
            Load::Idle { .. } => dialect.room("{n}"),
            Load::Echo { .. } | Load::Connect { .. } => dialect.echo().to_owned(),
            Load::Layers { .. } => String::new(),
        }
    }

    /// About how long one measurement takes, in seconds: for saying so before it begins.
    pub(crate) fn takes(&self, row: &Row, seconds: f64) -> f64 {
        let (start, opened_per_second) = if row.pace == Pace::Slow { (2.0, 1500.0) } else { (0.5, 8000.0) };
        let connections = match self.load {
            Load::Fanout { members, .. } | Load::Slow { members, .. } => members,
            Load::Rooms { rooms, members } => rooms * members,
            Load::Echo { connections } => connections,
            Load::Idle { processes, connections } => processes * connections,
            Load::Connect { .. } | Load::Layers { .. } => 0,
        };
        let phases = if matches!(self.load, Load::Slow { .. }) { 2.0 } else { 1.0 };
        start + connections as f64 / opened_per_second * phases + (seconds + self.warm_up) * phases
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn only_so_many(connections: usize, limit: usize) -> String {
    format!(
        "{} members rather than {}: that is what one process can hold here, as it may open no more than {} files",
        thousands(connections),
        thousands(20_000),
        thousands(limit)
    )
}

/// `19 500`, with a space that does not break.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    if number < 10_000 {
        return digits;
    }
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    let mut grouped = first.to_owned();
    for three in rest.as_bytes().chunks(3) {
        grouped.push('\u{a0}');
        grouped.extend(three.iter().copied().map(char::from));
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::on_redis::{CHANNELS_CORE, CORE, PUBSUB, TWO_NODES};
    use crate::servers::find;

    fn row(key: &str) -> &'static Row {
        find(key).unwrap()
    }

    #[test]
    fn what_does_not_fit_under_the_limit_is_less_or_in_several_processes_and_noted() {
        let workload = |limit, key: &str| {
            Workload::all(Scale::Full, limit).into_iter().find(|workload| workload.key == key).unwrap()
        };
        let many = workload(19_500, "fanout-20000");
        assert!(matches!(many.load, Load::Fanout { members: 19_500, .. }) && many.note.is_some());
        assert!(workload(1_000_000, "fanout-20000").note.is_none());
        let idle = workload(19_500, "idle-100000");
        assert!(matches!(idle.load, Load::Idle { processes: 6, connections: 17_000 }) && idle.note.is_some());
        let idle = workload(1_000_000, "idle-100000");
        assert!(
            matches!(idle.load, Load::Idle { processes: 1, connections: 100_000 }) && idle.note.is_none()
        );
    }

    #[test]
    fn what_is_about_redis_is_for_servers_on_it_and_for_ours_beside_them() {
        for workload in Workload::all(Scale::Full, 19_500) {
            let about_redis = is_on_redis(workload.key);
            let without_sockets = matches!(workload.load, Load::Layers { .. });
            for key in [PUBSUB, CORE, CHANNELS_CORE] {
                assert_eq!(workload.is_for(row(key)), about_redis, "{key}, {}", workload.key);
            }
            assert_eq!(workload.is_for(row(TWO_NODES)), about_redis && !without_sockets, "{}", workload.key);
            assert_eq!(workload.is_for(row(OURS)), !without_sockets, "{}", workload.key);
            assert!(!about_redis || !workload.is_for(row("bun")), "{}", workload.key);
            assert_eq!(workload.title().ends_with("over Redis"), about_redis, "{}", workload.title());
        }
    }

    #[test]
    fn slow_servers_get_less() {
        let slow = row("channels-daphne");
        for workload in Workload::all(Scale::Full, 19_500) {
            assert!(workload.rounds_for(slow, 5) <= 2 && workload.rounds_for(slow, 2) == 1);
            assert_eq!(
                workload.is_for(slow),
                ["fanout-1000-w1", "echo-100", "echo-1000", "idle-10000", "connect"].contains(&workload.key),
                "{}",
                workload.key
            );
        }
    }

    #[test]
    fn pings_are_waited_for_once_and_only_by_our_own_server() {
        let all = Workload::all(Scale::Full, 19_500);
        let idle = all.iter().find(|workload| workload.key == "idle-10000").unwrap();
        assert_eq!(idle.seconds_for(row("narrows"), 1, Scale::Full), TWO_PINGS);
        assert!(idle.seconds_for(row("narrows"), 2, Scale::Full) < 10.0);
        assert!(idle.seconds_for(row("bun"), 1, Scale::Full) < 10.0);
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(thousands(9999), "9999");
        assert_eq!(thousands(19_500), "19\u{a0}500");
        assert_eq!(thousands(1_000_001), "1\u{a0}000\u{a0}001");
    }
}
