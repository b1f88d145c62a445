//! However valid messages are fragmented, interleaved and cut, they come out the same.

use proptest::prelude::*;

use super::*;

/// A message, where to cut it into fragments, and what control frames stand before each fragment.
type Sent = (Owned, Vec<usize>, Vec<Owned>);

fn data() -> impl Strategy<Value = Owned> {
    prop_oneof![
        4 => any::<String>().prop_map(Owned::Text),
        3 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Owned::Binary),
        1 => (60_000_usize..70_000, any::<u8>()).prop_map(|(len, byte)| Owned::Binary(vec![byte; len])),
    ]
}

fn control() -> impl Strategy<Value = Owned> {
    let payload = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![payload().prop_map(Owned::Ping), payload().prop_map(Owned::Pong)]
}

fn sent() -> impl Strategy<Value = Sent> {
    (data(), prop::collection::vec(0_usize..100, 0..5), prop::collection::vec(control(), 0..3))
}

fn close() -> impl Strategy<Value = Option<(u16, String)>> {
    prop::option::of((prop_oneof![1000_u16..=1003, 1007_u16..=1014, 3000_u16..=4999], "\\PC{0,30}"))
}

fn write(role: Role, opcode: u8, fin: bool, payload: &[u8], wire: &mut Vec<u8>) {
    wire.extend(raw_frame(role, opcode | if fin { 0x80 } else { 0 }, payload));
}

/// Writes messages as they say, and lists the items in the order in which they become complete.
fn put_on_the_wire(role: Role, messages: Vec<Sent>, close: Option<(u16, String)>) -> (Vec<u8>, Vec<Owned>) {
    let (mut wire, mut items) = (Vec::new(), Vec::new());
    for (message, cuts, controls) in messages {
        let (opcode, payload) = match &message {
            Owned::Text(text) => (0x1, text.as_bytes()),
            Owned::Binary(bytes) => (0x2, bytes.as_slice()),
            _ => unreachable!("only data is sent in fragments"),
        };
        let (mut rest, mut opcode, mut controls) = (payload, opcode, controls.into_iter());
        for cut in cuts {
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            write(role, opcode, false, piece, &mut wire);
            (rest, opcode) = (later, 0x0);
            if let Some(control) = controls.next() {
                let (opcode, payload) = match &control {
                    Owned::Ping(payload) => (0x9, payload),
                    Owned::Pong(payload) => (0xa, payload),
                    _ => unreachable!("no close within a message"),
                };
                write(role, opcode, true, payload, &mut wire);
                items.push(control);
            }
        }
        write(role, opcode, true, rest, &mut wire);
        items.push(message);
    }
    let payload = close.as_ref().map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
    write(role, 0x8, true, &payload.unwrap_or_default(), &mut wire);
    items.push(Owned::Close(close));
    (wire, items)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn valid_messages_come_out_as_they_went_in_however_cut(
        role in prop::sample::select(vec![Role::Server, Role::Client]),
        messages in prop::collection::vec(sent(), 0..6),
        close in close(),
        reads in prop::collection::vec(1_usize..300, 1..20),
    ) {
        let (wire, expected) = put_on_the_wire(role, messages, close);
        let (items, error) = decode_all(&mut Decoder::new(role), &wire, &LIMITS);
        prop_assert_eq!((&items, error), (&expected, None), "in one read");

        let (mut decoder, mut items, mut rest) = (Decoder::new(role), Vec::new(), wire.as_slice());
        for read in reads.into_iter().cycle() {
            let (chunk, later) = rest.split_at(read.min(rest.len()));
            let (more, error) = decode_all(&mut decoder, chunk, &LIMITS);
            prop_assert_eq!(error, None);
            items.extend(more);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(items, expected, "in many reads");
        prop_assert_eq!(decoder.heap_bytes(), 0);
    }
}

#[test]
fn one_byte_at_a_time_is_linear_work() {
    // Quadratic work on this much would take minutes.
    let text = "é".repeat(LIMITS.max_message_bytes / 2);
    let wire = raw_frame(Role::Server, 0x81, text.as_bytes());
    let mut decoder = Decoder::new(Role::Server);
    let mut items = Vec::new();
    for byte in wire.chunks(1) {
        items.extend(decode_all(&mut decoder, byte, &LIMITS).0);
    }
    assert_eq!(items, [Owned::Text(text)]);
}
