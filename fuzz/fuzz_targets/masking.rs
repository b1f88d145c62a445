//! Masking in pieces gives what masking byte by byte gives.
//!
//! The first four bytes of the data are the key, the next four the lengths of the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::internals::Mask;

fuzz_target!(|data: &[u8]| {
    let Some((key, data)) = data.split_first_chunk::<4>() else { return };
    let Some((lengths, payload)) = data.split_first_chunk::<4>() else { return };
    let expected: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();

    let (mut masked, mut mask) = (payload.to_vec(), Mask::new(*key));
    let mut rest = masked.as_mut_slice();
    for &length in lengths {
        let (piece, later) = rest.split_at_mut(usize::from(length).min(rest.len()));
        mask.apply(piece);
        rest = later;
    }
    mask.apply(rest);
    assert_eq!(masked, expected);
});
