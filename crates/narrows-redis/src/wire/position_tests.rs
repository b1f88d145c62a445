use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FORMATS: [PayloadFormat; 2] = [PayloadFormat::MsgPack, PayloadFormat::Json];
const AT: Position = Position { epoch: 0x9f3c_2a10, offset: 1042 };
const TEXT: &str = "000000009f3c2a10-0000000000001042";
const NAME: &str = "narrows.0!g1";

fn wire(format: PayloadFormat, keys: &[&str]) -> Wire {
    Wire { format, keys: Keys::new(keys), random_prefix: 12, max_message_bytes: 16 << 20 }
}

fn wires() -> impl Iterator<Item = Wire> {
    FORMATS.into_iter().flat_map(|format| [wire(format, &[]), wire(format, &["key"])])
}

/// What the script does.
fn placed(message: Unplaced, text: &str) -> Vec<u8> {
    let Unplaced { mut head, ending: Ending { digits, tail } } = message;
    let character = |c| {
        if digits.is_empty() { c } else { digits.as_bytes()["0123456789abcdef-".find(c as char).unwrap()] }
    };
    head.extend(text.bytes().map(character));
    head.extend(tail.bytes());
    head
}

fn map_of(entries: usize) -> Value {
    (0..entries).map(|n| (format!("key{n}"), Value::from(n))).collect()
}

/// A message that has no position, in whichever form it came.
fn is_left_alone(format: PayloadFormat, payload: &[u8]) {
    let wire = wire(format, &[]);
    let opened = wire.open(payload.to_vec()).unwrap();
    assert_eq!(opened, Opened { payload: payload.to_vec().into(), at: None });
    let addressed = [&[0; 12], payload].concat();
    let opened = wire.open_addressed(addressed, Duration::MAX).unwrap();
    assert_eq!((&opened.payload[..], opened.at), (payload, None));
}

#[test]
fn a_position_is_taken_out_of_maps_of_any_size() {
    for wire in wires() {
        for entries in [0, 1, 13, 14, 15, 16, 65_534, 65_535, 65_536] {
            let payload = wire.format.encode(&map_of(entries)).unwrap();
            let message = wire.seal_unplaced(&payload).unwrap();
            let len = message.len();
            let message = placed(message, TEXT);
            assert_eq!(message.len(), len);
            assert_eq!(wire.open(message), Ok(Opened { payload: payload.clone(), at: Some(AT) }));
            let message = placed(wire.seal_unplaced_for(&payload, To::List(&[NAME])), TEXT);
            let opened = wire.open_addressed(message, Duration::MAX);
            assert_eq!(opened, Ok(Addressed { payload, to: vec![NAME.to_owned()], at: Some(AT) }));
        }
    }
}

#[test]
fn a_position_is_the_last_entry_of_the_map_for_those_who_do_not_know_it() {
    for format in FORMATS {
        let payload = format.encode(&json!({"type": "x"})).unwrap();
        let message = placed(wire(format, &[]).seal_unplaced(&payload).unwrap(), TEXT);
        let expected = json!({"type": "x", "__narrows_at__": TEXT});
        assert_eq!(format.decode::<Value>(&message).unwrap(), expected);
    }
}

#[test]
fn what_is_no_map_gets_no_position() {
    for wire in wires() {
        for junk in [&b""[..], b"[]", b"7", b"null", b"\x92\x01\x02", b"{", b"}", b"\xdf\xff\xff\xff\xff"] {
            let is_map = wire.format == PayloadFormat::Json && junk == b"{}";
            assert_eq!(wire.seal_unplaced(junk).is_ok(), is_map, "{junk:?}");
        }
    }
}

#[test]
fn a_key_of_the_same_name_that_any_library_writes_is_the_senders_own() {
    for own in [json!({"a": 1, "__narrows_at__": TEXT}), json!({"__narrows_at__": TEXT})] {
        is_left_alone(PayloadFormat::MsgPack, &rmp_serde::to_vec_named(&own).unwrap());
        is_left_alone(PayloadFormat::Json, own.to_string().as_bytes());
        is_left_alone(PayloadFormat::Json, own.to_string().replace(':', ": ").as_bytes());
        is_left_alone(PayloadFormat::Json, serde_json::to_string_pretty(&own).unwrap().as_bytes());
    }
}

#[test]
fn a_text_that_is_passed_on_as_it_is_cannot_pass_for_one_with_a_position() {
    let wire = wire(PayloadFormat::Json, &[]);
    let forged = placed(wire.seal_unplaced(br#"{"type":"x"}"#).unwrap(), TEXT);
    let sealed = wire.seal(forged.into());
    assert_eq!(wire.open(sealed.to_vec()).unwrap().at, None);
}

#[test]
fn a_position_that_is_none_is_left_where_it_stands() {
    for wire in wires() {
        let payload = wire.format.encode(&json!({"type": "x"})).unwrap();
        for text in [
            "000000009F3C2A10-0000000000001042",
            "000000009f3c2a10-000000000000104a",
            "000000009f3c2a10a0000000000001042",
            "-00000009f3c2a10-0000000000001042",
        ] {
            if wire.keys.is_some() && text.contains('F') {
                continue;
            }
            let opened = wire.open(placed(wire.seal_unplaced(&payload).unwrap(), text));
            // Behind a token nothing else can stand.
            assert_eq!(
                opened.map(|opened| opened.at),
                if wire.keys.is_some() { Err(Skipped::Undecryptable) } else { Ok(None) }
            );
        }
    }
}

/// Values as a packer writes them, of which many end like a message with a position.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..9).prop_map(|before| {
        let bytes = [&before[..], position::MSGPACK, TEXT.as_bytes()].concat();
        let mut packed = Vec::new();
        rmp::encode::write_bin(&mut packed, &bytes).unwrap();
        packed
    });
    let leaf = prop_oneof![
        any::<u64>().prop_map(|n| rmp_serde::to_vec(&n).unwrap()),
        bytes,
        Just(rmp_serde::to_vec(TEXT).unwrap())
    ];
    leaf.prop_recursive(3, 12, 3, |inner| prop::collection::vec((key(), inner), 0..3).prop_map(packed))
}

fn key() -> impl Strategy<Value = String> {
    "[a-c]|__narrows_at__"
}

fn packed(entries: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut map = Vec::new();
    rmp::encode::write_map_len(&mut map, entries.len() as u32).unwrap();
    for (key, value) in entries {
        rmp::encode::write_str(&mut map, &key).unwrap();
        map.extend(value);
    }
    map
}

proptest! {
    #[test]
    fn a_message_without_a_position_is_never_changed(entries in prop::collection::vec((key(), value()), 0..20)) {
        is_left_alone(PayloadFormat::MsgPack, &packed(entries));
    }

    #[test]
    fn an_object_without_a_position_is_never_changed(texts in prop::collection::vec((key(), r#"[\t"{},a-]{0,40}"#), 0..9), nested: bool, pretty: bool) {
        let object: Value = texts.into_iter().map(|(key, text)| (key, Value::from(format!("{text}\t\"__narrows_at__\":\t\"{TEXT}")))).collect();
        let object = if nested { json!({"a": [object.clone()], "b": object}) } else { object };
        let text = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        is_left_alone(PayloadFormat::Json, text.as_bytes());
    }

    #[test]
    fn what_is_sealed_with_a_position_comes_back(epoch: u64, offset in 0..10_u64.pow(16), text in ".{0,40}") {
        let at = Position { epoch, offset };
        let message = json!({"type": "x", "text": text, "last": TEXT});
        for wire in wires() {
            let payload = wire.format.encode(&message).unwrap();
            let sealed = placed(wire.seal_unplaced(&payload).unwrap(), &format!("{epoch:016x}-{offset:016}"));
            prop_assert_eq!(wire.open(sealed), Ok(Opened { payload, at: Some(at) }));
        }
    }

    #[test]
    fn damage_never_panics(at: prop::sample::Index, byte: u8, cut: bool, addressed: bool) {
        for wire in wires() {
            let payload = wire.format.encode(&json!({"type": "x"})).unwrap();
            let unplaced = if addressed { wire.seal_unplaced_for(&payload, To::One(NAME)) } else { wire.seal_unplaced(&payload).unwrap() };
            let mut damaged = placed(unplaced, TEXT);
            let at = at.index(damaged.len());
            if cut { damaged.truncate(at) } else { damaged[at] = byte }
            let opened = wire.open(damaged.clone()).is_ok() | wire.open_addressed(damaged, Duration::MAX).is_ok();
            // A token without its position, or with the mark cut off with it, opens.
            prop_assert!(!cut || !opened || wire.keys.is_some());
        }
    }
}
