use rand::RngExt;

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A new key: 32 of `[a-z0-9]`, some 165 bits.
pub(super) fn new_key() -> String {
    let mut random = rand::rng();
    (0..32).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// Whether a session can have this key. Django asks for eight characters; the column holds forty; and what else Django
/// or a site's own code puts into a key is graphic ASCII.
pub(super) fn can_be_key(text: &str) -> bool {
    (8..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a file can have it in its name, too.
pub(super) fn can_be_file(text: &str) -> bool {
    can_be_key(text) && text.bytes().all(|byte| ALPHABET.contains(&byte))
}
