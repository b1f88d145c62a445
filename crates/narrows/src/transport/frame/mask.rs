/// A frame's masking key, at the place that the payload has come to.
///
/// Masking and unmasking are the same XOR. The key turns with the bytes, so a payload may be unmasked in
/// pieces of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask([u8; 4]);

impl Mask {
    /// The key that changes nothing, for frames without one.
    pub const NONE: Self = Self([0; 4]);

    /// A key as it stands in the frame's header.
    pub fn new(key: [u8; 4]) -> Self {
        Self(key)
    }

    /// Masks or unmasks the payload's next bytes.
    #[inline]
    pub fn apply(&mut self, bytes: &mut [u8]) {
        if *self == Self::NONE {
            return;
        }
        let [a, b, c, d] = self.0;
        let key = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        // Arrays of a known length let the compiler use whatever vector width the target has.
        let (words, tail) = bytes.as_chunks_mut::<8>();
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
        }
        for (byte, key) in tail.iter_mut().zip([a, b, c, d, a, b, c]) {
            *byte ^= key;
        }
        self.0.rotate_left(bytes.len() % 4);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_of_any_length_unmask_like_one_byte_at_a_time(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            key: [u8; 4],
            cuts in prop::collection::vec(0_usize..40, 0..20),
        ) {
            let expected: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            let (mut masked, mut mask) = (payload, Mask::new(key));
            let mut rest = masked.as_mut_slice();
            for cut in cuts {
                let (piece, later) = rest.split_at_mut(cut.min(rest.len()));
                mask.apply(piece);
                rest = later;
            }
            mask.apply(rest);
            prop_assert_eq!(masked, expected);
        }
    }
}
