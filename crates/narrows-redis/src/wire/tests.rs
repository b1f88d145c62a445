use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::*;
use crate::vectors::{hex, vectors};

const FORMATS: [PayloadFormat; 2] = [PayloadFormat::MsgPack, PayloadFormat::Json];
const ALWAYS: Duration = Duration::MAX;
const A: &str = "specific.203e26fe76c145a38d269c9336aebee8!929b30f789294f52ba7fe24c8180ba8d";
const B: &str = "specific.203e26fe76c145a38d269c9336aebee8!1d14b8c9462a408b86ef3525bf708b41";

fn wire(format: PayloadFormat) -> Wire {
    Wire { format, keys: None, random_prefix: 12, max_message_bytes: 16 << 20 }
}

fn bare(format: PayloadFormat) -> Wire {
    Wire { random_prefix: 0, ..wire(format) }
}

fn with_keys(format: PayloadFormat, keys: &[&str]) -> Wire {
    Wire { keys: Keys::new(keys), ..wire(format) }
}

fn addressed(payload: &[u8], to: &[&str]) -> Addressed {
    Addressed {
        payload: Bytes::copy_from_slice(payload),
        to: to.iter().map(|&name| name.to_owned()).collect(),
        at: None,
    }
}

// What channels_redis did.

#[test]
fn messages_without_prefix_are_those_of_channels_redis() {
    let vectors = vectors();
    let vectors = vectors["serialization_no_prefix"].as_array().unwrap();
    assert!(vectors.len() >= 7);
    for vector in vectors {
        let text = vector["json"].as_str().map(|text| text.as_bytes().to_vec());
        for (format, payload) in
            [(PayloadFormat::MsgPack, Some(hex(&vector["msgpack_hex"]))), (PayloadFormat::Json, text)]
        {
            let Some(payload) = payload else { continue };
            assert_eq!(wire(format).open(payload.clone()).unwrap().payload, payload);
            assert_eq!(
                bare(format).open_addressed(payload.clone(), ALWAYS).unwrap(),
                addressed(&payload, &[])
            );
            for to in [To::One(A), To::List(&[A, B]), To::List(&[])] {
                let sealed = bare(format).seal_for(&payload, Some(to));
                let opened = bare(format).open_addressed(sealed, ALWAYS).unwrap();
                assert_eq!(opened, addressed(&payload, to.names()));
            }
            if vector["note"].is_null() {
                assert_eq!(format.decode::<Value>(&payload).unwrap(), vector["message"]);
            }
        }
    }
}

#[test]
fn messages_with_prefix_are_those_of_channels_redis() {
    let vectors = vectors();
    let vectors = vectors["serialization_core_prefix"].as_array().unwrap();
    assert!(vectors.len() >= 2);
    for vector in vectors {
        let prefix = vector["prefix_len"].as_u64().unwrap() as usize;
        let wire = Wire { random_prefix: prefix, ..wire(PayloadFormat::MsgPack) };
        let bytes = hex(&vector["wire_hex"]);
        let opened = wire.open_addressed(bytes.clone(), ALWAYS).unwrap();
        assert_eq!(opened, addressed(&bytes[prefix..], &[]));
        assert_eq!(wire.format.decode::<Value>(&opened.payload).unwrap(), vector["message"]);
        assert_eq!(wire.seal_for(&opened.payload, None)[prefix..], bytes[prefix..]);
    }
}

#[test]
fn sealed_messages_are_those_of_channels_redis() {
    for vector in vectors()["encryption"]["vectors"].as_array().unwrap() {
        let key = vector["symmetric_encryption_key"].as_str().unwrap();
        let plain = hex(&vector["plaintext_hex"]);
        let wire = with_keys(PayloadFormat::MsgPack, &["newer", key]);
        assert_eq!(wire.open(hex(&vector["pubsub_wire_hex"])).unwrap().payload, plain);
        let core = hex(&vector["core_wire_hex_with_prefix_000102..0b"]);
        assert_eq!(wire.open_addressed(core.clone(), ALWAYS).unwrap(), addressed(&plain, &[]));
        assert_eq!(
            wire.open_addressed(core, Duration::from_secs(70)),
            Err(Skipped::Undecryptable),
            "too old"
        );
    }
}

/// The messages in a command, with the keys where they are put.
fn messages(args: &[Value]) -> Vec<(String, Vec<u8>)> {
    let bytes = |arg: &Value| arg.as_str().map_or_else(|| hex(&arg["hex"]), |text| text.as_bytes().to_vec());
    let text = |arg: &Value| arg.as_str().unwrap().to_owned();
    match args[0].as_str().unwrap() {
        "ZADD" if !args[1].as_str().unwrap().contains(":group:") => vec![(text(&args[1]), bytes(&args[3]))],
        "PUBLISH" => vec![(text(&args[1]), bytes(&args[2]))],
        "EVAL" => {
            let keys: usize = args[2].as_str().unwrap().parse().unwrap();
            (3..3 + keys).map(|at| (text(&args[at]), bytes(&args[at + keys]))).collect()
        }
        _ => Vec::new(),
    }
}

/// Whom a captured message is for, and its text; none for the one to a normal channel.
fn expected<'a>(call: &str, key: &str, a: &'a str, b: &'a str) -> (Option<To<'a>>, Option<&'static str>) {
    match call {
        _ if call.contains("group") && key.contains("normal-chan") => {
            (Some(To::List(&["normal-chan"])), Some("all"))
        }
        _ if call.contains("group") => (Some(To::List(vec![a, b].leak())), Some("all")),
        _ if call.contains("specific") => (Some(To::One(a)), Some("hi")),
        _ => (None, None),
    }
}

#[test]
fn every_captured_message_is_opened_and_written_alike() {
    let mut opened = 0;
    for (layer, capture) in vectors()["captures"].as_object().unwrap() {
        let json = capture["config"]["serializer_format"] == "json";
        let format = if json { PayloadFormat::Json } else { PayloadFormat::MsgPack };
        let keys = capture["config"]["symmetric_encryption_keys"].as_array();
        let keys: Vec<_> = keys.into_iter().flatten().map(|key| key.as_str().unwrap()).collect();
        let wire = with_keys(format, &keys);
        let [a, b] = ["channel_a", "channel_b"].map(|name| capture[name].as_str().unwrap_or_default());
        for (call, capture) in capture.as_object().unwrap() {
            let commands = capture["wire"].as_array().into_iter().flatten();
            let args = commands.filter_map(|command| command["args"].as_array());
            for (key, message) in args.flat_map(|args| messages(args)) {
                let (to, text) = expected(call, &key, a, b);
                let (payload, again) = if layer.starts_with("core") {
                    let opened = wire.open_addressed(message.clone(), ALWAYS).unwrap();
                    assert_eq!(
                        opened.to,
                        to.iter().flat_map(To::names).copied().collect::<Vec<_>>(),
                        "{layer} {call}"
                    );
                    let mut again = wire.seal_for(&opened.payload, to);
                    again[..12].copy_from_slice(&message[..12]);
                    (opened.payload, again)
                } else {
                    let payload = wire.open(message.clone()).unwrap().payload;
                    (payload.clone(), wire.seal(payload).to_vec())
                };
                let content = format.decode::<Value>(&payload).unwrap();
                match text {
                    Some(text) => assert_eq!(content, json!({"type": "chat.message", "text": text})),
                    None => assert_eq!(content["type"], "generate", "{layer} {call}"),
                }
                assert!(!capture["result"].is_object() || capture["result"] == content, "{layer} {call}");
                // A token differs each time, but for its length.
                assert_eq!(again.len(), message.len(), "{layer} {call}");
                assert_eq!(again == message, keys.is_empty(), "{layer} {call}");
                opened += 1;
            }
        }
    }
    assert!(opened >= 40, "{opened}");
}

// Both ways.

#[test]
fn the_pubsub_form_without_keys_is_the_payload_uncopied() {
    for format in FORMATS {
        let payload = format.encode(&json!({"type": "x"})).unwrap();
        let sealed = wire(format).seal(payload.clone());
        assert_eq!((sealed.as_ptr(), sealed.len()), (payload.as_ptr(), payload.len()));
        let bytes = sealed.to_vec();
        let place = bytes.as_ptr();
        assert_eq!(wire(format).open(bytes).unwrap().payload.as_ptr(), place);
    }
}

#[test]
fn an_address_at_the_end_is_taken_out_uncopied() {
    for format in FORMATS {
        let payload = format.encode(&json!({"type": "x", "text": "y"})).unwrap();
        let sealed = wire(format).seal_for(&payload, Some(To::One(A)));
        let place = sealed.as_ptr();
        let opened = wire(format).open_addressed(sealed, ALWAYS).unwrap();
        assert_eq!(opened, addressed(&payload, &[A]));
        assert_eq!(opened.payload.as_ptr(), place.wrapping_add(12));
    }
}

#[test]
fn a_message_is_written_into_a_buffer_of_its_size() {
    for format in FORMATS {
        let payload = format.encode(&json!({"type": "x".repeat(5000)})).unwrap();
        for wire in [wire(format), with_keys(format, &["key"])] {
            let sealed = wire.seal_for(&payload, Some(To::List(&[A, B])));
            assert!(sealed.capacity() - sealed.len() < 100, "{} of {}", sealed.len(), sealed.capacity());
        }
    }
}

#[test]
fn the_prefix_differs_from_message_to_message() {
    for wire in [wire(PayloadFormat::MsgPack), with_keys(PayloadFormat::MsgPack, &["key"])] {
        let mut seen: Vec<_> = (0..1000).map(|_| wire.seal_for(b"\x80", None)[..12].to_vec()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
    }
}

#[test]
fn the_header_of_a_map_grows_and_shrinks_with_the_address() {
    for entries in [0, 1, 14, 15, 16, 17, 65_534, 65_535, 65_536, 70_000] {
        let payload = map_of(entries);
        let sealed = bare(PayloadFormat::MsgPack).seal_for(&payload, Some(To::One(A)));
        let mut header = Vec::new();
        rmp::encode::write_map_len(&mut header, entries + 1).unwrap();
        assert!(sealed.starts_with(&header) && sealed.ends_with(A.as_bytes()), "{entries}");
        rmp_serde::from_slice::<IgnoredAny>(&sealed).unwrap();
        let opened = bare(PayloadFormat::MsgPack).open_addressed(sealed, ALWAYS).unwrap();
        assert_eq!(opened, addressed(&payload, &[A]), "{entries}");
    }
}

#[test]
fn lists_of_any_length_are_read() {
    for format in FORMATS {
        for len in [0, 1, 15, 16, 65_535, 65_536] {
            let names: Vec<_> = (0..len).map(|at| format!("name.{at}")).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let payload = format.encode(&json!({"type": "x"})).unwrap();
            let sealed = wire(format).seal_for(&payload, Some(To::List(&names)));
            let opened = wire(format).open_addressed(sealed, ALWAYS).unwrap();
            assert_eq!(opened.to, names);
        }
    }
}

#[test]
fn an_address_is_found_wherever_it_stands_and_the_last_one_counts() {
    let packed = b"\x85\xb0__asgi_channel__\x07\xa1a\x01\xb0__asgi_channel__\x92\xa1x\xd9\x01y\xa1b\x91\x81\xb0__asgi_channel__\xa1z\
        \xda\x00\x10__asgi_channel__\xa1w";
    let opened = bare(PayloadFormat::MsgPack).open_addressed(packed.to_vec(), ALWAYS).unwrap();
    assert_eq!(opened, addressed(b"\x82\xa1a\x01\xa1b\x91\x81\xb0__asgi_channel__\xa1z", &["w"]));

    let text = r#" {"__asgi_channel__": 7, "a": 1.50, "\u005f_asgi_channel__":["x","y"] ,"b": [{"__asgi_channel__": "z"}], "__asgi_channel__": "\u0077"} "#;
    let opened = bare(PayloadFormat::Json).open_addressed(text.into(), ALWAYS).unwrap();
    assert_eq!(opened, addressed(br#" {"a": 1.50 ,"b": [{"__asgi_channel__": "z"}]} "#, &["w"]));
}

#[test]
fn json_of_python_with_escapes_keeps_its_text() {
    // json.dumps of the payload, and of the payload with the address.
    let payload = r#"{"type": "chat.message", "text": "\u00e9\"\\\n\u2028\ud83d\ude00 }, \"__asgi_channel__\": \"no\"", "n": [1.5, -0.0, 1e+300, null, true], "d": {"__asgi_channel__": "inner", "}": "{"}, "\u00e9": 1}"#;
    let with_address =
        format!(r#"{}, "__asgi_channel__": ["{A}", "{B}"]}}"#, payload.strip_suffix('}').unwrap());
    let wire = bare(PayloadFormat::Json);
    assert_eq!(wire.seal_for(payload.as_bytes(), Some(To::List(&[A, B]))), with_address.as_bytes());
    assert_eq!(
        wire.open_addressed(with_address.into(), ALWAYS).unwrap(),
        addressed(payload.as_bytes(), &[A, B])
    );
    assert_eq!(wire.open(payload.into()).unwrap().payload, payload);
}

#[test]
fn an_empty_object_and_one_with_spaces_get_an_address() {
    let wire = bare(PayloadFormat::Json);
    for (payload, rest) in [("{}", "{}"), (" {\n} ", "{}"), ("{\"a\":{ }\n}\t", r#"{"a":{ }}"#)] {
        let sealed = wire.seal_for(payload.as_bytes(), Some(To::One("x")));
        let value: Value = serde_json::from_slice(&sealed).unwrap();
        assert_eq!(value["__asgi_channel__"], "x");
        assert_eq!(wire.open_addressed(sealed, ALWAYS).unwrap(), addressed(rest.as_bytes(), &["x"]));
    }
    assert_eq!(wire.seal_for(b"{}", Some(To::List(&["x", "y"]))), br#"{"__asgi_channel__": ["x", "y"]}"#);
}

// What is not taken.

#[test]
fn what_is_not_one_whole_map_is_malformed() {
    let packed: [&[u8]; 15] = [
        b"",
        b"\xa1a",
        b"\x91\x01",
        b"\x81",
        b"\x81\xa1a",
        b"\x81\xa1a\xc1",
        b"\x81\xa1a\xa2b",
        b"\x80\x80",
        b"\xde\x00",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa1a\xdd\xff\xff\xff\xff\x01",
        b"\x81\xa1a\xc9\xff\xff\xff\xff\x01",
        b"\x81\xa1a\xc7\x01\x05",
        b"\x81\xb0__asgi_channel__",
        b"\x81\xd9\x10__asgi_channel_",
    ];
    let text: [&[u8]; 9] = [
        b"",
        b"[]",
        b"7",
        b"{",
        b"{\"a\": 1",
        b"{\"a\": 1} 2",
        b"{\"a\": 1,}",
        b"{\"a\": \"\xff\"}",
        b"{a: 1}",
    ];
    for (format, junk) in [(PayloadFormat::MsgPack, &packed[..]), (PayloadFormat::Json, &text[..])] {
        for junk in junk {
            assert_eq!(bare(format).open(junk.to_vec()), Err(Skipped::Malformed), "{junk:?}");
            assert_eq!(
                bare(format).open_addressed(junk.to_vec(), ALWAYS),
                Err(Skipped::Malformed),
                "{junk:?}"
            );
            let sealed = with_keys(format, &["key"]).seal_for(junk, None);
            let opened = with_keys(format, &["key"]).open_addressed(sealed, ALWAYS);
            assert_eq!(opened, Err(Skipped::Malformed), "{junk:?}");
        }
    }
}

#[test]
fn an_address_that_is_no_name_and_no_list_of_names_is_malformed() {
    for value in [&b"\x07"[..], b"\xc0", b"\x91\x07", b"\x80", b"\xa1\xff", b"\xc4\x01a", b"\x91\x91\xa1a"] {
        let message = [b"\x81\xb0__asgi_channel__", value].concat();
        assert_eq!(bare(PayloadFormat::MsgPack).open_addressed(message, ALWAYS), Err(Skipped::Malformed));
    }
    for value in ["7", "null", "[7]", "{}", r#"[["a"]]"#] {
        let message = format!(r#"{{"__asgi_channel__": {value}}}"#);
        assert_eq!(bare(PayloadFormat::Json).open_addressed(message.into(), ALWAYS), Err(Skipped::Malformed));
    }
}

#[test]
fn a_payload_that_is_no_map_gets_no_address() {
    for (format, payload) in
        [(PayloadFormat::MsgPack, &b"\x07"[..]), (PayloadFormat::Json, b"7"), (PayloadFormat::Json, b"}")]
    {
        assert_eq!(bare(format).seal_for(payload, Some(To::One(A))), payload);
    }
}

#[test]
fn a_message_shorter_than_the_prefix_is_malformed() {
    for wire in [wire(PayloadFormat::MsgPack), with_keys(PayloadFormat::MsgPack, &["key"])] {
        assert_eq!(wire.open_addressed(vec![0x80; 11], ALWAYS), Err(Skipped::Malformed));
    }
    assert_eq!(
        wire(PayloadFormat::MsgPack).open_addressed(vec![0x80; 13], ALWAYS).unwrap().payload,
        b"\x80"[..]
    );
}

#[test]
fn a_message_longer_than_allowed_is_oversized_whatever_it_is() {
    let payload = b"\x81\xa1a\x01";
    let exact = Wire { max_message_bytes: payload.len(), ..bare(PayloadFormat::MsgPack) };
    assert!(exact.open(payload.to_vec()).is_ok());
    assert!(exact.open_addressed(payload.to_vec(), ALWAYS).is_ok());
    for keys in [None, Keys::new(&["key"])] {
        let wire = Wire { max_message_bytes: 3, keys, ..bare(PayloadFormat::MsgPack) };
        assert_eq!(wire.open(payload.to_vec()), Err(Skipped::Oversized));
        assert_eq!(wire.open_addressed(vec![0xc1; 4], ALWAYS), Err(Skipped::Oversized));
    }
}

#[test]
fn messages_of_other_keys_and_messages_in_the_clear_are_undecryptable() {
    for format in FORMATS {
        let payload = format.encode(&json!({"type": "x"})).unwrap();
        let clear = wire(format).seal_for(&payload, None);
        let wire = with_keys(format, &["key"]);
        assert_eq!(wire.open(payload.to_vec()), Err(Skipped::Undecryptable));
        assert_eq!(
            wire.open(with_keys(format, &["other"]).seal(payload.clone()).to_vec()),
            Err(Skipped::Undecryptable)
        );
        assert_eq!(wire.open_addressed(clear, ALWAYS), Err(Skipped::Undecryptable));
        assert_eq!(wire.open(wire.seal(payload.clone()).to_vec()).unwrap().payload, payload);
        let sealed = wire.seal_for(&payload, Some(To::One(A)));
        assert_eq!(wire.open_addressed(sealed, Duration::from_secs(70)).unwrap(), addressed(&payload, &[A]));
    }
}

#[test]
fn any_depth_of_nesting_is_gone_through_without_a_stack() {
    let mut packed = b"\x81\xa1a".to_vec();
    packed.extend([0x91].repeat(1_000_000));
    assert_eq!(bare(PayloadFormat::MsgPack).open_addressed(packed.clone(), ALWAYS), Err(Skipped::Malformed));
    packed.push(0xc0);
    assert!(bare(PayloadFormat::MsgPack).open_addressed(packed.clone(), ALWAYS).is_ok());
    assert!(bare(PayloadFormat::MsgPack).open(packed).is_ok());

    let text = |end: &str| format!(r#"{{"a": {}{end}"#, "[".repeat(1_000_000)).into_bytes();
    assert_eq!(bare(PayloadFormat::Json).open(text("")), Err(Skipped::Malformed));
    assert_eq!(bare(PayloadFormat::Json).open_addressed(text(""), ALWAYS), Err(Skipped::Malformed));
    let closed = text(&format!("{}}}", "]".repeat(1_000_000)));
    assert!(bare(PayloadFormat::Json).open_addressed(closed, ALWAYS).is_ok());
}

fn map_of(entries: u32) -> Vec<u8> {
    let mut map = Vec::new();
    rmp::encode::write_map_len(&mut map, entries).unwrap();
    for at in 0..entries {
        rmp::encode::write_str(&mut map, &format!("k{at}")).unwrap();
        rmp::encode::write_uint(&mut map, at.into()).unwrap();
    }
    map
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from(ADDRESS_KEY)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

fn message() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-z\"é]{0,3}", value(), 0..20).prop_map(Value::from_iter)
}

fn address() -> impl Strategy<Value = (bool, Vec<String>)> {
    (any::<bool>(), prop::collection::vec("[a-zA-Z0-9._!-]{1,99}", 1..20))
}

proptest! {
    #[test]
    fn what_was_written_is_read(message in message(), (list, names) in address(), sealed: bool) {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let names = if list { &names[..] } else { &names[..1] };
        let to = if list { To::List(names) } else { To::One(names[0]) };
        for format in FORMATS {
            let wire = if sealed { with_keys(format, &["key"]) } else { wire(format) };
            let payload = format.encode(&message).unwrap();
            prop_assert_eq!(&wire.open(wire.seal(payload.clone()).into()).unwrap().payload, &payload);
            let opened = wire.open_addressed(wire.seal_for(&payload, Some(to)), ALWAYS).unwrap();
            prop_assert_eq!(&opened.to, names);
            prop_assert_eq!(&opened.payload, &payload);
            let opened = wire.open_addressed(wire.seal_for(&payload, None), ALWAYS).unwrap();
            prop_assert_eq!(opened, addressed(&payload, &[]));
        }
    }

    #[test]
    fn addresses_among_other_keys_are_all_taken_out(
        entries in prop::collection::vec((any::<bool>(), value()), 0..40), wide: bool, name in "[a-z]{1,40}",
    ) {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let kept = entries.iter().filter(|(is_address, _)| !is_address).count();
        if wide {
            rmp::encode::write_map_len(&mut without, kept as u32).unwrap();
            with.extend([0xdf, 0, 0, 0, entries.len() as u8 + 1]);
        } else {
            rmp::encode::write_map_len(&mut without, kept as u32).unwrap();
            rmp::encode::write_map_len(&mut with, entries.len() as u32 + 1).unwrap();
        }
        for (at, (is_address, value)) in entries.iter().enumerate() {
            let mut entry = Vec::new();
            rmp::encode::write_str(&mut entry, if *is_address { ADDRESS_KEY } else { ["a", "bc"][at % 2] }).unwrap();
            rmp_serde::encode::write_named(&mut entry, value).unwrap();
            with.extend(&entry);
            without.extend(if *is_address { &[] } else { &entry[..] });
        }
        rmp::encode::write_str(&mut with, ADDRESS_KEY).unwrap();
        rmp::encode::write_str(&mut with, &name).unwrap();
        let opened = bare(PayloadFormat::MsgPack).open_addressed(with, ALWAYS).unwrap();
        prop_assert_eq!(opened, addressed(&without, &[&name]));
    }

    #[test]
    fn addresses_among_the_entries_of_an_object_are_all_taken_out(
        entries in prop::collection::vec((any::<bool>(), "[ \n]{0,2}", value()), 1..12),
        names in prop::collection::vec("[a-z]{1,9}", 0..3),
    ) {
        let object = |entries: &[(bool, String)]| format!("{{{}}}", entries.iter().map(|(_, entry)| entry.as_str()).collect::<Vec<_>>().join(","));
        let mut texts: Vec<_> = entries.iter().enumerate().map(|(at, (is_address, space, value))| {
            let key = if *is_address { ADDRESS_KEY.to_owned() } else { format!("k{at}") };
            (*is_address, format!("\"{key}\"{space}:{space}{value}"))
        }).collect();
        let without: Vec<_> = texts.iter().filter(|(is_address, _)| !is_address).cloned().collect();
        texts.push((true, format!("\"{ADDRESS_KEY}\":{}", json!(names))));
        let opened = wire(PayloadFormat::Json).open_addressed([&[0; 12], object(&texts).as_bytes()].concat(), ALWAYS);
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        prop_assert_eq!(opened, Ok(addressed(object(&without).as_bytes(), &names)));
    }

    #[test]
    fn junk_is_skipped_and_never_a_panic(junk: Vec<u8>, limit in 0..200_usize, keys: bool, prefix in 0..14_usize) {
        for format in FORMATS {
            let keys = if keys { Keys::new(&["key"]) } else { None };
            let wire = Wire { format, keys, random_prefix: prefix, max_message_bytes: limit };
            if let Ok(opened) = wire.open(junk.clone()) {
                prop_assert!(opened.payload.len() <= limit);
            }
            if let Ok(opened) = wire.open_addressed(junk.clone(), ALWAYS) {
                prop_assert!(opened.payload.len() <= junk.len());
            }
            let sealed = wire.seal_for(&junk, Some(To::List(&[A])));
            prop_assert!(sealed.len() >= prefix);
        }
    }

    /// Bytes of which most begin a value: junk that gets far.
    #[test]
    fn what_passes_for_msgpack_is_msgpack(
        body in prop::collection::vec(prop_oneof![0x80..0x84_u8, 0x90..0x94_u8, 0xa0..0xa3_u8, 0xc0..0xe0_u8, 0..6_u8], 0..30),
    ) {
        let junk = [&[0x81, 0xa1, b'a'][..], &body].concat();
        let passes = bare(PayloadFormat::MsgPack).open(junk.clone()).is_ok();
        let mut reader = rmp_serde::Deserializer::new(&junk[..]);
        let is_map = serde::Deserialize::deserialize(&mut reader).map(|IgnoredAny| reader.get_ref().is_empty());
        prop_assert_eq!(passes, is_map.unwrap_or(false), "{:x?}", junk);
        if !passes {
            prop_assert!(bare(PayloadFormat::MsgPack).open_addressed(junk, ALWAYS).is_err());
        }
    }

    #[test]
    fn a_damaged_message_never_panics(message in message(), at: prop::sample::Index, byte: u8, cut: bool) {
        for format in FORMATS {
            let payload = format.encode(&message).unwrap();
            let mut damaged = wire(format).seal_for(&payload, Some(To::List(&[A, B])));
            let at = at.index(damaged.len());
            if cut { damaged.truncate(at) } else { damaged[at] = byte }
            let opened = wire(format).open_addressed(damaged, ALWAYS);
            prop_assert!(!cut || opened.is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn maps_of_any_size_come_back(entries in 0..70_000_u32) {
        let payload = map_of(entries);
        let wire = wire(PayloadFormat::MsgPack);
        let opened = wire.open_addressed(wire.seal_for(&payload, Some(To::List(&[A, B]))), ALWAYS).unwrap();
        prop_assert_eq!(opened, addressed(&payload, &[A, B]));
    }
}
