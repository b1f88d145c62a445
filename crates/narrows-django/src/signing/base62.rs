const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a number as `django.core.signing.b62_encode` does.
pub(crate) fn encode(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    // 11 digits for 64 bits, and the sign.
    let mut digits = Vec::with_capacity(12);
    loop {
        digits.push(ALPHABET[(rest % 62) as usize] as char);
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// Reads a number; `None` where the text is not one, or not one of 64 bits.
pub(crate) fn decode(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits.bytes().try_fold(0_i128, |sum, digit| {
        let value = ALPHABET.iter().position(|&letter| letter == digit)?;
        // Far below the end of an `i128`: the sum before it was one of 64 bits.
        Some(sum * 62 + value as i128).filter(|&sum| sum <= 1 << 63)
    })?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}
