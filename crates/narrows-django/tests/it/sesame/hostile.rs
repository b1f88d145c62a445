use std::time::{Duration, SystemTime};

use narrows_django::sesame::{Holder, Packer, SesameError};
use proptest::prelude::*;

use super::{VERSIONS, alice, enter, with};
use crate::vectors::now;

#[test]
fn a_token_that_was_cut_short_or_made_longer_is_not_believed() {
    for version in VERSIONS {
        let sesame = with(|settings| settings.versions = vec![version]);
        let token = sesame.token(&alice(), "", now()).unwrap();
        for length in 0..token.len() {
            assert!(enter(&sesame, &token[..length], &alice(), "").is_err(), "{length}");
        }
        for more in ["A", "AAAA", "=", ":", " ", "é"] {
            assert!(enter(&sesame, &format!("{token}{more}"), &alice(), "").is_err(), "{more}");
        }
    }
}

#[test]
fn a_token_of_one_user_is_not_believed_of_another() {
    for version in VERSIONS {
        let sesame = with(|settings| settings.versions = vec![version]);
        let [ours, theirs] =
            ["1", "2"].map(|key| sesame.token(&Holder { key, ..alice() }, "", now()).unwrap());
        // The other's key in front of one's own signature.
        let forged = format!("{}{}", &theirs[..6], &ours[6..]);
        assert!(enter(&sesame, &forged, &Holder { key: "2", ..alice() }, "").is_err());
    }
}

#[test]
fn a_huge_token_is_refused_unread() {
    let sesame = with(|settings| settings.packer = Packer::Text);
    assert_eq!(sesame.read(&"A".repeat(1_000_000), now()).unwrap_err(), SesameError::Malformed);
}

#[test]
fn the_longest_token_is_read() {
    for version in VERSIONS {
        let sesame = with(|settings| {
            settings.packer = Packer::Text;
            settings.signature_size = 64;
            settings.max_age = Some(Duration::from_secs(60));
            settings.versions = vec![version];
        });
        let key = "x".repeat(255);
        let holder = Holder { key: &key, ..alice() };
        let token = sesame.token(&holder, "", now()).unwrap();
        assert_eq!(enter(&sesame, &token, &holder, ""), Ok(()));
    }
}

#[test]
fn a_key_that_is_not_utf_8_or_ends_too_early_is_no_token() {
    let sesame = with(|settings| settings.packer = Packer::Text);
    for token in ["Af8AAAAAAAAAAAAA", "_wAAAAAAAAAAAAAA", "", "AA"] {
        assert_eq!(sesame.read(token, now()).unwrap_err(), SesameError::Malformed, "{token}");
    }
}

#[test]
fn any_clock_will_do() {
    let sesame = with(|settings| settings.max_age = Some(Duration::from_secs(60)));
    let token = sesame.token(&alice(), "", now()).unwrap();
    let beginning = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    // One from the future is believed, as django-sesame has it: the clocks of two servers differ.
    assert!(sesame.read(&token, beginning).is_ok());
    assert_eq!(sesame.read(&token, end).unwrap_err(), SesameError::Expired);
}

proptest! {
    #[test]
    fn nothing_that_the_site_did_not_make_is_believed(text in "[A-Za-z0-9_:-]{0,60}|.{0,60}", aged: bool, kind in 0..4_usize) {
        let sesame = with(|settings| {
            settings.max_age = aged.then_some(Duration::from_secs(60));
            settings.packer = [Packer::Integer, Packer::BigInteger, Packer::Uuid, Packer::Text][kind];
        });
        if let Ok(token) = sesame.read(&text, now()) {
            let key = token.key().to_owned();
            let holder = Holder { key: &key, ..alice() };
            prop_assert_eq!(sesame.verify(&token, &holder, ""), Err(SesameError::Invalid));
        }
    }
}
