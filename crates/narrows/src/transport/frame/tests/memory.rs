//! What a decoder costs, idle and in the middle of a message.

use super::*;

#[test]
fn an_idle_decoder_is_a_few_words_and_owns_no_heap() {
    assert!(size_of::<Decoder>() <= 24, "{}", size_of::<Decoder>());
    assert_eq!(Decoder::new(Role::Server).heap_bytes(), 0);
}

#[test]
fn a_message_that_lies_whole_in_the_input_is_handed_out_where_it_lies() {
    let mut wire = raw_frame(Role::Server, 0x81, b"hello");
    let payload_at = wire[6..].as_ptr();
    let mut decoder = Decoder::new(Role::Server);
    let (used, item) = decoder.decode(&mut wire, &LIMITS).unwrap();
    let Some(Item::Text(text)) = item else { panic!("{item:?}") };
    assert_eq!((used, text, text.as_ptr()), (11, "hello", payload_at));
    assert_eq!(decoder.heap_bytes(), 0);
}

#[test]
fn a_header_cut_anywhere_leaves_no_heap_and_its_payload_is_not_copied() {
    let wire = raw_frame(Role::Server, 0x82, &[b'x'; 70_000]);
    for cut in 0..=14 {
        let (mut decoder, mut wire) = (Decoder::new(Role::Server), wire.clone());
        let (header, rest) = wire.split_at_mut(cut);
        decoder.decode(header, &LIMITS).unwrap();
        assert_eq!(decoder.heap_bytes() > 0, cut == 14, "only a whole header needs a place");
        let payload_at = rest[14 - cut..].as_ptr();
        let (_, item) = decoder.decode(rest, &LIMITS).unwrap();
        assert!(matches!(item, Some(Item::Binary(bytes)) if bytes.as_ptr() == payload_at), "{cut}");
        assert_eq!(decoder.heap_bytes(), 0);
    }
}

#[test]
fn memory_follows_the_bytes_that_came_and_not_those_announced() {
    let mut wire = raw_frame(Role::Server, 0x82, &vec![b'x'; LIMITS.max_frame_bytes]);
    let mut decoder = Decoder::new(Role::Server);
    for (from, to) in [(0, 114), (114, 1114), (1114, 10_014)] {
        decoder.decode(&mut wire[from..to], &LIMITS).unwrap();
        assert!(decoder.heap_bytes() <= 2 * to + 1024 + 256, "{} for {to}", decoder.heap_bytes());
    }
}

#[test]
fn a_message_in_two_reads_takes_its_own_length_and_no_more() {
    for first in [0x81, 0x82] {
        let mut wire = raw_frame(Role::Server, first, &[b'x'; 1500]);
        let mut decoder = Decoder::new(Role::Server);
        let (one, two) = wire.split_at_mut(300);
        decoder.decode(one, &LIMITS).unwrap();
        decoder.decode(two, &LIMITS).unwrap();
        assert!((1500..1500 + 256).contains(&decoder.heap_bytes()), "{}", decoder.heap_bytes());
    }
}

#[test]
fn memory_is_given_back_by_the_call_after_the_message() {
    for first in [0x81, 0x82, 0x89] {
        let mut wire = raw_frame(Role::Server, first, b"split over two reads");
        let mut decoder = Decoder::new(Role::Server);
        let (one, two) = wire.split_at_mut(9);
        assert_eq!(decoder.decode(one, &LIMITS), Ok((9, None)));
        assert!(decoder.heap_bytes() > 0);
        assert!(matches!(decoder.decode(two, &LIMITS), Ok((17, Some(_)))));
        assert_eq!(decoder.decode(&mut [], &LIMITS), Ok((0, None)));
        assert_eq!(decoder.heap_bytes(), 0, "{first:x}");
    }
}

#[test]
fn a_control_frame_cut_within_a_message_leaves_the_message_alone() {
    let wire = [
        raw_frame(Role::Server, 0x01, b"one "),
        raw_frame(Role::Server, 0x89, b"still there?"),
        raw_frame(Role::Server, 0x8a, b""),
        raw_frame(Role::Server, 0x80, b"message"),
    ]
    .concat();
    let expected =
        [Owned::Ping(b"still there?".to_vec()), Owned::Pong(vec![]), Owned::Text("one message".into())];
    for cut in 0..wire.len() {
        let mut decoder = Decoder::new(Role::Server);
        let (mut items, _) = decode_all(&mut decoder, &wire[..cut], &LIMITS);
        items.extend(decode_all(&mut decoder, &wire[cut..], &LIMITS).0);
        assert_eq!(items, expected, "cut at {cut}");
    }
}
