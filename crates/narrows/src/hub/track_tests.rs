use proptest::prelude::*;

use super::*;

const EPOCH: u64 = 7;

fn at(offset: u64) -> Position {
    Position { epoch: EPOCH, offset }
}

fn payload(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

/// What the layer did, and what the store has.
#[derive(Default)]
struct Layer {
    /// The numbers of all messages in their order, with the offset of those that have one.
    sent: Vec<(Option<u64>, u64)>,
    top: u64,
    size: usize,
}

impl Layer {
    fn page(&self, after: Position, limit: usize) -> (KeptPage, bool) {
        let positioned: Vec<_> = self.sent.iter().filter_map(|(at, n)| at.map(|at| (at, *n))).collect();
        let kept = &positioned[positioned.len().saturating_sub(self.size)..];
        let first = kept.first().map_or(self.top + 1, |(offset, _)| *offset);
        let messages: Vec<_> = kept
            .iter()
            .filter(|(o, _)| *o > after.offset)
            .take(limit)
            .map(|(o, n)| (*o, payload(*n)))
            .collect();
        let complete = after.epoch == EPOCH && after.offset + 1 >= first && after.offset <= self.top;
        let full = messages.len() >= limit;
        (KeptPage { top: at(self.top), messages, complete }, full)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// With a position or without, and whether it arrives.
    Send {
        plain: bool,
        arrives: bool,
    },
    /// The last message that arrived comes once more.
    Again,
    Gap,
    /// The store answers as it was when it was asked, or cannot be asked.
    Answer {
        fails: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (prop::bool::weighted(0.2), prop::bool::weighted(0.7))
            .prop_map(|(plain, arrives)| Step::Send { plain, arrives }),
        1 => Just(Step::Again),
        1 => Just(Step::Gap),
        3 => prop::bool::weighted(0.2).prop_map(|fails| Step::Answer { fails }),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Offsets only rise, each message is itself, a step over some is said, and never over what is kept; what was there when a
    /// message or a gap came, comes. Plain messages that arrived come all, in their order among each other and never before
    /// what was sent before them and had arrived.
    #[test]
    fn what_comes_out_is_in_order_once_and_every_hole_is_said(steps in steps(), size in 1usize..40, limit in 1usize..6) {
        let mut layer = Layer { size, ..Layer::default() };
        let (mut track, mut out) = (Track::new(at(0)), Vec::new());
        let (mut asked, mut last, mut plain, mut known) = (None, None, Vec::new(), 0);
        for step in steps {
            let asks = match step {
                Step::Send { plain: true, arrives } => {
                    let n = layer.sent.len() as u64;
                    layer.sent.push((None, n));
                    if arrives {
                        plain.push(n);
                        track.arrived_plain(payload(n), |o| out.push(o));
                    }
                    false
                }
                Step::Send { plain: false, arrives } => {
                    let n = layer.sent.len() as u64;
                    layer.top += 1;
                    layer.sent.push((Some(layer.top), n));
                    if arrives {
                        last = Some((layer.top, n));
                        known = layer.top;
                    }
                    arrives && track.arrived(at(layer.top), payload(n), |o| out.push(o))
                }
                Step::Again => last.is_some_and(|(o, n)| track.arrived(at(o), payload(n), |o| out.push(o))),
                Step::Gap => {
                    known = layer.top;
                    track.suspect()
                }
                Step::Answer { fails } => match asked.take() {
                    None => continue,
                    Some((after, (page, full))) => fails || track.filled(after, page, full, |o| out.push(o)),
                },
            };
            if asks {
                prop_assert!(asked.is_none(), "it is asked already");
                asked = track.ask().map(|after| (after, layer.page(after, limit)));
            }
        }
        prop_assert_eq!(asked.is_none(), track.is_whole(), "somebody sees to it");
        // In the end the store is asked until all is there.
        for _ in 0..1000 {
            let Some(after) = track.ask() else { break };
            let (page, full) = layer.page(after, limit);
            track.filled(after, page, full, |o| out.push(o));
        }
        prop_assert!(track.is_whole());
        prop_assert!(track.last().offset >= known, "{} of {known}", track.last().offset);
        let kept = (layer.top + 1).saturating_sub(size as u64);
        let (mut before, mut said) = (0, 0);
        let mut plain_out = Vec::new();
        for o in &out {
            match o {
                Out::Lost(lost) => {
                    prop_assert!(lost.offset > before, "{lost} is said to be lost after {before}");
                    prop_assert!(lost.offset < kept.max(1), "{lost} is kept, from {kept} on");
                    said = lost.offset;
                }
                Out::Message(Some(p), bytes) | Out::Refilled(p, bytes) => {
                    prop_assert_eq!(p.offset, before.max(said) + 1);
                    let n = u64::from_be_bytes(bytes[..].try_into().unwrap());
                    prop_assert_eq!(layer.sent[n as usize].0, Some(p.offset));
                    before = p.offset;
                }
                Out::Message(None, bytes) => {
                    plain_out.push(u64::from_be_bytes(bytes[..].try_into().unwrap()));
                }
            }
        }
        prop_assert_eq!(plain_out, plain);
    }
}

fn collect(
    track: &mut Track,
    work: impl FnOnce(&mut Track, &mut dyn FnMut(Out)) -> bool,
) -> (bool, Vec<Out>) {
    let mut out = Vec::new();
    let asks = work(track, &mut |o| out.push(o));
    (asks, out)
}

#[test]
fn another_epoch_is_a_loss_and_goes_on_from_there() {
    let mut track = Track::new(at(5));
    let other = Position { epoch: 8, offset: 1 };
    let (asks, out) = collect(&mut track, |t, out| t.arrived(other, payload(1), out));
    let lost = Position { epoch: 8, offset: 0 };
    assert_eq!((asks, out), (false, vec![Out::Lost(lost), Out::Message(Some(other), payload(1))]));
}

#[test]
fn a_store_that_went_back_in_time_is_a_loss_and_what_comes_then_is_new() {
    let mut track = Track::new(at(50));
    assert!(track.suspect() && track.ask().is_some());
    let page = KeptPage { top: at(40), messages: Vec::new(), complete: false };
    let (asks, out) = collect(&mut track, |t, out| t.filled(at(50), page, false, out));
    assert_eq!((asks, out), (false, vec![Out::Lost(at(40))]));
    let (_, out) = collect(&mut track, |t, out| t.arrived(at(41), payload(1), out));
    assert_eq!(out, [Out::Message(Some(at(41)), payload(1))]);
}

#[test]
fn what_waits_from_before_another_epoch_is_not_mixed_in() {
    let mut track = Track::new(at(5));
    assert!(track.arrived(at(8), payload(8), |_| panic!("it waits")));
    let top = Position { epoch: 9, offset: 2 };
    let page = KeptPage { top, messages: Vec::new(), complete: false };
    let (asks, out) = collect(&mut track, |t, out| t.filled(at(5), page, false, out));
    assert_eq!((asks, out, track.last()), (false, vec![Out::Lost(top)], top));
}

#[test]
fn a_store_that_never_has_what_is_missing_is_not_asked_forever() {
    let mut track = Track::new(at(5));
    assert!(track.arrived(at(8), payload(8), |_| panic!("it waits")));
    let empty = || KeptPage { top: at(8), messages: Vec::new(), complete: true };
    let mut out = Vec::new();
    let asked = (1..10).find(|_| !track.filled(at(5), empty(), false, |o| out.push(o)));
    assert_eq!((asked, out), (Some(3), vec![Out::Lost(at(7)), Out::Message(Some(at(8)), payload(8))]));
}

#[test]
fn what_was_lost_while_the_store_was_asked_is_asked_for_once_more() {
    let mut track = Track::new(at(10));
    assert!(track.suspect());
    assert_eq!(track.ask(), Some(at(10)));
    // The offset 11 is published, and lost with the link.
    assert!(!track.suspect(), "it is asked");
    let page = || KeptPage { top: at(10), messages: Vec::new(), complete: true };
    assert!(track.filled(at(10), page(), false, |_| panic!("it has nothing")));
    assert_eq!(track.ask(), Some(at(10)));
    let page = KeptPage { top: at(11), messages: vec![(11, payload(11))], complete: true };
    let (again, out) = collect(&mut track, |t, out| t.filled(at(10), page, false, out));
    assert_eq!((again, out, track.is_whole()), (false, vec![Out::Refilled(at(11), payload(11))], true));
}

#[test]
fn a_store_that_cannot_be_asked_is_suspected_until_it_answers() {
    let mut track = Track::new(at(10));
    assert!(track.suspect());
    for _ in 0..3 {
        assert_eq!(track.ask(), Some(at(10)));
    }
    let (_, out) = collect(&mut track, |t, out| t.arrived(at(11), payload(11), out));
    assert_eq!((out.len(), track.ask()), (1, Some(at(11))), "what is ahead of it may be missing");
    let page = KeptPage { top: at(11), messages: Vec::new(), complete: true };
    assert!(!track.filled(at(11), page, false, |_| panic!("it has nothing")));
    assert_eq!(track.ask(), None);
}
