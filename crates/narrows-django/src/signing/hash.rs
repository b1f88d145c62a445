use hmac::digest::core_api::BlockSizeUser;
use hmac::{Mac, SimpleHmac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The keyed hash under Django's signatures, HMAC-SHA256 with a key of its own for each salt
/// (`django.utils.crypto.salted_hmac`).
///
/// ```
/// let hash = narrows_django::signing::salted_hmac(b"salt", b"value", b"the site's SECRET_KEY");
/// assert_eq!(hash.len(), 32);
/// ```
pub fn salted_hmac(salt: &[u8], value: &[u8], secret: &[u8]) -> [u8; 32] {
    hash::<Sha256>(salt, value, secret).into()
}

/// The same with SHA-1, which the first version of django-sesame's tokens has.
pub(crate) fn salted_hmac_sha1(salt: &[u8], value: &[u8], secret: &[u8]) -> [u8; 20] {
    hash::<Sha1>(salt, value, secret).into()
}

fn hash<D: Digest + BlockSizeUser>(salt: &[u8], value: &[u8], secret: &[u8]) -> hmac::digest::Output<D> {
    let key = D::new().chain_update(salt).chain_update(secret).finalize();
    let mac = SimpleHmac::<D>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.chain_update(value).finalize().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Django.
    #[test]
    fn a_salted_hash_with_sha_1_is_djangos() {
        let secret = b"django-insecure-test-key-0123456789abcdefghijklmnopqrstuvwxyz";
        let hash = salted_hmac_sha1(b"salt", b"value", secret);
        assert_eq!(hash[..8], [0x29, 0x41, 0x15, 0xd3, 0xa9, 0x20, 0xc9, 0x55]);
    }
}
