//! Each rule of the standard, and each limit, with what breaks it.

use super::super::{ProtocolError as Error, encode_masked};
use super::*;

fn verdict(role: Role, wire: &[u8], limits: &FrameLimits) -> Option<Error> {
    let whole = decode_all(&mut Decoder::new(role), wire, limits);
    let mut decoder = Decoder::new(role);
    let bytewise = wire.chunks(1).find_map(|byte| decode_all(&mut decoder, byte, limits).1);
    assert_eq!(whole.1, bytewise, "one byte at a time, {wire:x?}");
    whole.1
}

fn server(first: u8, payload: &[u8]) -> Vec<u8> {
    raw_frame(Role::Server, first, payload)
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_code() {
    let cases: Vec<(&str, Vec<u8>, Error, u16)> = vec![
        ("RSV1", server(0xc1, b""), Error::ReservedBits, 1002),
        ("RSV2", server(0xa1, b""), Error::ReservedBits, 1002),
        ("RSV3 on a ping", server(0x99, b""), Error::ReservedBits, 1002),
        ("opcode 3", server(0x83, b""), Error::ReservedOpcode(3), 1002),
        ("opcode 7", server(0x87, b""), Error::ReservedOpcode(7), 1002),
        ("opcode 11", server(0x8b, b""), Error::ReservedOpcode(11), 1002),
        ("opcode 15", server(0x8f, b""), Error::ReservedOpcode(15), 1002),
        ("no mask", b"\x81\x00".to_vec(), Error::UnmaskedFrame, 1002),
        ("half a ping", server(0x09, b""), Error::FragmentedControl, 1002),
        ("half a close", server(0x08, b""), Error::FragmentedControl, 1002),
        ("long ping", server(0x89, &[0; 126]), Error::ControlTooBig, 1002),
        ("very long close", server(0x88, &[0; 70_000]), Error::ControlTooBig, 1002),
        ("125 in two bytes", b"\x82\xfe\x00\x7d".to_vec(), Error::NonMinimalLength, 1002),
        ("a ping's 5 in two", b"\x89\xfe\x00\x05".to_vec(), Error::NonMinimalLength, 1002),
        ("65535 in eight", b"\x82\xff\0\0\0\0\0\0\xff\xff".to_vec(), Error::NonMinimalLength, 1002),
        ("top bit", b"\x82\xff\x80\0\0\0\0\0\0\0".to_vec(), Error::LengthOverflow, 1002),
        ("nothing to continue", server(0x80, b"x"), Error::UnexpectedContinuation, 1002),
        (
            "nothing left to continue",
            [server(0x01, b"a"), server(0x80, b"b"), server(0x80, b"c")].concat(),
            Error::UnexpectedContinuation,
            1002,
        ),
        ("text in text", [server(0x01, b"a"), server(0x81, b"b")].concat(), Error::InterruptedMessage, 1002),
        ("binary in text", [server(0x01, b""), server(0x02, b"")].concat(), Error::InterruptedMessage, 1002),
        ("close of one byte", server(0x88, b"\x03"), Error::TruncatedCloseCode, 1002),
        ("close with 1005", server(0x88, b"\x03\xed"), Error::InvalidCloseCode(1005), 1002),
        ("close with 5000", server(0x88, b"\x13\x88x"), Error::InvalidCloseCode(5000), 1002),
        ("close reason", server(0x88, b"\x03\xe8\xff"), Error::InvalidUtf8, 1007),
        ("text", server(0x81, b"a\xff"), Error::InvalidUtf8, 1007),
        ("text cut short", server(0x81, b"a\xc3"), Error::InvalidUtf8, 1007),
        ("fragments", [server(0x01, b"a\xc3"), server(0x80, b"b")].concat(), Error::InvalidUtf8, 1007),
        (
            "fragments cut short",
            [server(0x01, b"a"), server(0x80, b"\xc3")].concat(),
            Error::InvalidUtf8,
            1007,
        ),
    ];
    for (name, wire, error, code) in cases {
        assert_eq!(verdict(Role::Server, &wire, &LIMITS), Some(error), "{name}");
        assert_eq!(error.close_code(), code, "{name}");
    }
}

#[test]
fn a_client_refuses_a_masked_frame() {
    let wire = encode_masked(super::super::Opcode::Text, b"", [1; 4]);
    assert_eq!(verdict(Role::Client, &wire, &LIMITS), Some(Error::MaskedFrame));
    assert_eq!(verdict(Role::Client, b"\x81\x00", &LIMITS), None);
}

#[test]
fn a_limit_admits_what_just_fits_and_refuses_one_byte_or_frame_more() {
    let limits = FrameLimits { max_frame_bytes: 6, max_message_bytes: 10, max_fragments: 3 };
    let fragments = |lens: &[usize]| -> Vec<u8> {
        let last = lens.len() - 1;
        let frames = lens.iter().enumerate().map(|(index, &len)| {
            let opcode = if index == 0 { 0x02 } else { 0x00 };
            server(opcode | if index == last { 0x80 } else { 0 }, &vec![b'x'; len])
        });
        frames.collect::<Vec<_>>().concat()
    };
    let cases: &[(&[usize], Option<Error>)] = &[
        (&[6], None),
        (&[7], Some(Error::FrameTooBig { bytes: 7, limit: 6 })),
        (&[6, 4], None),
        (&[6, 5], Some(Error::MessageTooBig { bytes: 11, limit: 10 })),
        (&[5, 7], Some(Error::FrameTooBig { bytes: 7, limit: 6 })),
        (&[1, 1, 1], None),
        (&[1, 1, 0, 0], Some(Error::TooManyFragments { limit: 3 })),
    ];
    for (lens, expected) in cases {
        assert_eq!(verdict(Role::Server, &fragments(lens), &limits), *expected, "{lens:?}");
        assert!(expected.is_none_or(|error| error.close_code() == 1009));
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_before_its_payload_comes() {
    let header = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
    let error = Error::FrameTooBig { bytes: i64::MAX as u64, limit: LIMITS.max_frame_bytes };
    assert_eq!(verdict(Role::Server, header, &LIMITS), Some(error));
}

#[test]
fn the_limits_do_not_touch_control_frames() {
    let limits = FrameLimits { max_frame_bytes: 0, max_message_bytes: 0, max_fragments: 0 };
    assert_eq!(verdict(Role::Server, &server(0x89, &[b'x'; 125]), &limits), None);
}

#[test]
fn invalid_text_is_refused_as_soon_as_it_arrives() {
    // Its first 13 bytes are valid, the 14th cannot follow, and more of the frame is announced.
    let text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited";
    let wire = server(0x81, text);
    let (before, offending) = wire.split_at(6 + 12);
    for frame_ends_before in [false, true] {
        let mut decoder = Decoder::new(Role::Server);
        let before = if frame_ends_before { server(0x01, &text[..12]) } else { before.to_vec() };
        let mut offending = if frame_ends_before { server(0x80, &text[12..]) } else { offending.to_vec() };
        offending.truncate(if frame_ends_before { 7 } else { 1 });
        assert_eq!(decode_all(&mut decoder, &before, &LIMITS), (vec![], None));
        assert_eq!(decode_all(&mut decoder, &offending, &LIMITS), (vec![], Some(Error::InvalidUtf8)));
    }
}

#[test]
fn items_before_a_broken_rule_are_still_handed_out() {
    let wire = [server(0x81, b"one"), server(0x89, b""), server(0x83, b"")].concat();
    let (items, error) = decode_all(&mut Decoder::new(Role::Server), &wire, &LIMITS);
    assert_eq!(items, [Owned::Text("one".into()), Owned::Ping(vec![])]);
    assert_eq!(error, Some(Error::ReservedOpcode(3)));
}
