use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::end::End;
use super::error::BenchError;
use super::pump::{Listener, Pump, Socket};

/// How many handshakes are under way at once: enough that none waits for another, and less than the queues of new
/// connections that servers have.
const AT_ONCE: usize = 128;

/// How many connections may be tried again.
const RETRIES: usize = 64;

/// Opens connections at these places. `watch` is told how many are open.
pub(super) fn open(
    pump: &mut Pump,
    places: Range<usize>,
    receive_buffer: Option<usize>,
    patience: Duration,
    mut watch: impl FnMut(usize) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let mut opening = Opening { opened: 0, ended: Vec::new() };
    let mut next = places.start;
    let mut retries = 0;
    // In the order in which they were started: the oldest is the first that we lose patience with.
    let mut under_way = VecDeque::new();
    while opening.opened < places.len() {
        while next < places.end && next - places.start < opening.opened + AT_ONCE {
            start(pump, next, receive_buffer, &opening, places.start)?;
            under_way.push_back((next, Instant::now()));
            next += 1;
        }
        pump.turn(Duration::from_millis(50), &mut opening)?;
        for (place, end) in std::mem::take(&mut opening.ended) {
            if !(end.is_passing() && opening.opened > 0 && retries < RETRIES) {
                let url = &pump.protocol.targets.of(place).url;
                return Err(end.into_error(url, places.start + opening.opened));
            }
            retries += 1;
            start(pump, place, receive_buffer, &opening, places.start)?;
        }
        while under_way.front().is_some_and(|(place, _)| pump.members.is_open(*place)) {
            under_way.pop_front();
        }
        if let Some((place, since)) = under_way.front()
            && since.elapsed() > patience
            && let Some(end) = pump.members.give_up(*place)
        {
            let url = &pump.protocol.targets.of(*place).url;
            return Err(end.into_error(url, places.start + opening.opened));
        }
        watch(opening.opened)?;
    }
    Ok(())
}

fn start(
    pump: &mut Pump,
    place: usize,
    receive_buffer: Option<usize>,
    opening: &Opening,
    before: usize,
) -> Result<(), BenchError> {
    let socket = Socket { from: pump.sources.of(place), receive_buffer };
    pump.connect(place, place, socket)
        .map_err(|end| end.into_error(&pump.protocol.targets.of(place).url, before + opening.opened))
}

struct Opening {
    opened: usize,
    ended: Vec<(usize, End)>,
}

impl Listener for Opening {
    fn opened(&mut self, _place: usize, _at: Instant) {
        self.opened += 1;
    }

    fn ended(&mut self, place: usize, end: End, _at: Instant) {
        self.ended.push((place, end));
    }
}
