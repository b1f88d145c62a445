//! Django's texts, read and written.

use std::collections::HashSet;
use std::sync::LazyLock;

use narrows_django::password::{HashWork, Hasher, Hashing, unusable};
use serde_json::Value;

use crate::vectors::{text, vectors};

static MORE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../vectors/passwords.json")).expect("the vectors are JSON")
});

fn cases() -> &'static [Value] {
    MORE["cases"].as_array().expect("a list")
}

fn with_md5() -> Hashing {
    Hashing::new(Hasher::pbkdf2_sha256(10).expect("some iterations")).with_md5()
}

fn pbkdf2(iterations: u32) -> Hashing {
    Hashing::new(Hasher::pbkdf2_sha256(iterations).expect("some iterations"))
}

#[test]
fn every_text_of_django_is_verified_as_django_does() {
    let passwords = vectors("passwords");
    let password = text(passwords, "password");
    for (name, encoded) in passwords["encoded"].as_object().expect("an object") {
        let encoded = encoded.as_str().expect("a text");
        let right = with_md5().verify(password, encoded).matches;
        let wrong = with_md5().verify("wrong", encoded).matches;
        assert_eq!(Some(right), passwords["verify"][name].as_bool(), "{name}");
        assert_eq!(Some(wrong), passwords["verify_wrong"][name].as_bool(), "{name}");
    }
}

#[test]
fn passwords_of_all_kinds_of_characters_and_lengths_match_their_texts() {
    for case in cases() {
        let (what, password) = (text(case, "what"), text(case, "password"));
        let found = with_md5().verify(password, text(case, "encoded")).matches;
        assert_eq!(Some(found), case["matches"].as_bool(), "{what}");
        if !what.starts_with("bcrypt ") {
            let longer = format!("{password}x");
            assert!(!with_md5().verify(&longer, text(case, "encoded")).matches, "{what}");
        }
    }
}

#[test]
fn bcrypt_looks_at_72_bytes_and_bcrypt_sha256_at_all() {
    let of =
        |what: &str| cases().iter().find(|case| text(case, "what") == what).expect("there is such a case");
    let (bcrypt, sha256) = (of("bcrypt 73 bytes"), of("bcrypt_sha256 73 bytes"));
    let longer = format!("{}z", "y".repeat(72));

    assert!(pbkdf2(10).verify(&longer, text(bcrypt, "encoded")).matches);
    assert!(!pbkdf2(10).verify(&longer[..71], text(bcrypt, "encoded")).matches);
    assert!(!pbkdf2(10).verify(&longer, text(sha256, "encoded")).matches);
}

#[test]
fn a_text_is_outdated_when_django_would_write_it_again() {
    let pbkdf2 = pbkdf2(1_000_000).with_md5();
    let argon2 = Hashing::new(Hasher::argon2()).with_md5();
    for case in cases() {
        let (what, encoded) = (text(case, "what"), text(case, "encoded"));
        let must_update = case["must_update"].as_bool().expect("a truth");
        let algorithm = encoded.split('$').next();
        assert_eq!(pbkdf2.is_outdated(encoded), must_update || algorithm != Some("pbkdf2_sha256"), "{what}");
        assert_eq!(argon2.is_outdated(encoded), must_update || algorithm != Some("argon2"), "{what}");
    }
}

#[test]
fn md5_is_read_only_where_it_is_asked_for() {
    let (password, md5) =
        (text(vectors("passwords"), "password"), text(&vectors("passwords")["encoded"], "md5"));
    assert!(!pbkdf2(10).verify(password, md5).matches);
    assert!(with_md5().verify(password, md5).matches);
}

#[test]
fn a_text_has_the_form_and_a_salt_of_django() {
    let hashing = pbkdf2(1000);
    let texts: HashSet<_> = (0..50).map(|_| hashing.hash("correct horse")).collect();
    assert_eq!(texts.len(), 50, "each has a salt of its own");
    for text in &texts {
        let parts: Vec<_> = text.split('$').collect();
        assert_eq!(parts[..2], ["pbkdf2_sha256", "1000"]);
        assert!(parts[2].len() == 22 && parts[2].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
        assert_eq!(parts[3].len(), 44);
    }
    let text = texts.iter().next().expect("there are fifty");
    assert!(hashing.verify("correct horse", text).matches && !hashing.is_outdated(text));
}

#[test]
fn argon2_is_written_with_the_parameters_of_django() {
    let hashing = Hashing::new(Hasher::argon2());
    let text = hashing.hash("pässwörd");
    assert!(text.starts_with("argon2$argon2id$v=19$m=102400,t=2,p=8$"), "{text}");
    let parts: Vec<_> = text.split('$').collect();
    assert_eq!((parts[4].len(), parts[5].len()), (30, 43), "22 characters and 32 bytes in base64");
    assert!(hashing.verify("pässwörd", &text).matches && !hashing.is_outdated(&text));
}

#[test]
fn without_settings_it_is_written_as_in_django_6() {
    let text = Hashing::default().hash("correct horse");
    assert!(text.starts_with("pbkdf2_sha256$1200000$"), "{text}");
}

#[test]
fn an_unusable_password_matches_nothing_and_is_never_the_same() {
    let text = unusable();
    assert!(text.starts_with('!') && text.len() == 41);
    assert_ne!(text, unusable());
    for password in ["", "!", &text, &text[1..]] {
        assert!(!pbkdf2(10).verify(password, &text).matches);
    }
}

#[test]
fn a_text_that_asks_for_too_much_matches_nothing_and_costs_one_hash() {
    let argon2 =
        |costs| format!("argon2$argon2id$v=19${costs}$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYQ$ErO1VD9TkRd3kL2qZg7rSw");
    for text in [
        "pbkdf2_sha256$4294967295$salt$rrFqfY54t+CcYpzPEaBDNhjkhYBmcvjLfi7UsJc1TIs=".to_owned(),
        "pbkdf2_sha1$99999999999999999999$salt$JS2jnGEnl++CrIPqE0apX7MKRfs=".to_owned(),
        argon2("m=4294967295,t=1,p=1"),
        argon2("m=102400,t=4294967295,p=8"),
        argon2("m=1048576,t=2,p=16777215"),
        "scrypt$1073741824$salt$8$1$VwdzdxUx4tWHAOTk".to_owned(),
        "scrypt$16384$salt$4294967295$4294967295$VwdzdxUx4tWHAOTk".to_owned(),
        "scrypt$2$salt$1$4294967295$VwdzdxUx4tWHAOTk".to_owned(),
        "bcrypt$$2b$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e".to_owned(),
    ] {
        let hashing = pbkdf2(10);
        assert!(!hashing.verify("correct horse", &text).matches, "{text}");
        assert_eq!((hashing.work().runs, hashing.work().iterations), (1, 10), "{text}");
        assert!(!hashing.is_outdated(&text), "{text}");
    }
}

#[test]
fn what_is_no_text_matches_nothing() {
    // Those of the first password are cheap ones, of each kind.
    let cut = cases().iter().filter(|case| text(case, "what").ends_with("ascii")).flat_map(|case| {
        let text = text(case, "encoded");
        (0..text.len()).filter(|at| text.is_char_boundary(*at)).map(move |at| text[..at].to_owned())
    });
    let odd = [
        "",
        "$",
        "plain",
        "pbkdf2_sha256$0$salt$x",
        "pbkdf2_sha256$-1$salt$x",
        "pbkdf2_sha256$010$salt$x",
        "pbkdf2_sha256$10$$x",
        "sha1$salt$x",
        "scrypt$0$salt$8$1$x",
        "scrypt$15$salt$8$1$x",
        "scrypt$16$salt$0$0$x",
        "bcrypt$$2b$xx$é",
        "argon2$argon2id$v=18$m=64,t=2,p=2$c2FsdHNhbHQ$AAAA",
        "argon2$argon2id$v=19$m=,t=,p=$$",
        "argon2$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$AAAAAAAA",
        "argon2$argon2id$v=19$m=64,t=2,p=2,x=1$c2FsdHNhbHQ$AAAA",
        "\0",
        "pbkdf2_sha256$10$\0$\0",
    ];
    let hashing = with_md5();
    for text in cut.chain(odd.map(str::to_owned)) {
        assert!(!hashing.verify("another password", &text).matches, "{text}");
    }
}

#[test]
fn a_wrong_password_for_a_weaker_text_takes_the_work_of_the_current_one() {
    let text = text(&vectors("passwords")["encoded"], "pbkdf2_sha256_1000").to_owned();
    let work = |password: &str| {
        let hashing = pbkdf2(5000);
        hashing.verify(password, &text);
        hashing.work().iterations
    };
    assert_eq!(work("wrong"), 5000);
    assert_eq!(work("correct horse"), 1000, "it is written again afterwards");
}

#[test]
fn a_hasher_without_iterations_or_with_absurdly_many_is_refused() {
    assert!(Hasher::pbkdf2_sha256(0).is_err());
    assert!(Hasher::pbkdf2_sha256(u32::MAX).is_err());
    assert_eq!(pbkdf2(10).work(), HashWork::default());
}
