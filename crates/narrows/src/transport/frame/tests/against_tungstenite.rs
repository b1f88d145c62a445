use proptest::prelude::*;

use super::differential::assert_agreement;
use super::*;

/// A frame that is mostly sane, so that streams get somewhere before they break.
fn frame(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        12 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        1 => Just(0x88_u8),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,40}".prop_map(String::into_bytes),
        2 => prop::collection::vec(prop::sample::select(b"a\x80\xbf\xc3\xe0\xed\xf0\xf4\x90".to_vec()), 0..6),
        1 => prop::collection::vec(any::<u8>(), 0..320),
        1 => (any::<u16>(), "[a-z]{0,9}").prop_map(|(code, reason)| close(code, &reason)),
        1 => (990_u16..1020, "[a-z]{0,9}").prop_map(|(code, reason)| close(code, &reason)),
    ];
    (first, payload, 0..20_u8).prop_map(move |(first, payload, odd)| {
        let mut frame = raw_frame(role, first, &payload);
        if odd == 0 && payload.len() < 126 {
            // The same length in more bytes than it needs.
            frame.splice(1..2, [frame[1] & 0x80 | 126, 0, frame[1] & 0x7f]);
        }
        frame
    })
}

fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

impl Mutation {
    fn apply(&self, wire: &mut Vec<u8>) {
        if wire.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(wire.len());
                wire[at] ^= 1 << (bit % 8);
            }
            Self::Insert(at, byte) => wire.insert(at.index(wire.len()), *byte),
            Self::Remove(at) => drop(wire.remove(at.index(wire.len()))),
            Self::Cut(at) => wire.truncate(at.index(wire.len())),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at().prop_map(Mutation::Remove),
        1 => at().prop_map(Mutation::Cut),
    ]
}

fn stream() -> impl Strategy<Value = (Role, Vec<u8>)> {
    let role = prop::sample::select(vec![Role::Server, Role::Client]);
    role.prop_flat_map(|role| {
        let frames = prop::collection::vec(frame(role), 1..8);
        (Just(role), frames.prop_map(|frames| frames.concat()), prop::collection::vec(mutation(), 0..3))
    })
    .prop_map(|(role, mut wire, mutations)| {
        mutations.iter().for_each(|mutation| mutation.apply(&mut wire));
        (role, wire)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn hostile_streams_are_judged_as_tungstenite_judges_them(
        (role, wire) in stream(),
        reads in prop::collection::vec(0_u8..40, 1..8),
    ) {
        assert_agreement(role, &wire, &reads);
    }
}
