mod formats;
mod hostile;

use std::time::Duration;

use chrono::{DateTime, Utc};
use narrows_django::sesame::{Holder, Packer, Sesame, SesameError, SesameSettings, TokenVersion};
use serde_json::Value;

use crate::vectors::{keys, now};

/// Settings as `SESAME_…` has them, some of them written as texts.
fn settings(named: &Value) -> SesameSettings {
    let mut settings = SesameSettings::default();
    for (name, value) in named.as_object().expect("settings are an object") {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
        match name.trim_start_matches("SESAME_") {
            "MAX_AGE" => settings.max_age = Some(Duration::from_secs(text.parse().expect("an age"))),
            "ONE_TIME" => settings.one_time = text == "true",
            "INVALIDATE_ON_PASSWORD_CHANGE" => settings.invalidate_on_password_change = text == "true",
            "INVALIDATE_ON_EMAIL_CHANGE" => settings.invalidate_on_email_change = text == "true",
            "SIGNATURE_SIZE" => settings.signature_size = text.parse().expect("a size"),
            "KEY" => settings.key = text,
            "SALT" => settings.salt = text,
            "PACKER" => settings.packer_path = value.as_str().map(str::to_owned),
            other => panic!("the vectors have a setting {other}"),
        }
    }
    settings
}

fn packer(name: &str) -> Packer {
    match name {
        "ShortPacker" => Packer::Short,
        "UnsignedShortPacker" => Packer::UnsignedShort,
        "LongPacker" => Packer::Integer,
        "UnsignedLongPacker" => Packer::UnsignedInteger,
        "LongLongPacker" => Packer::BigInteger,
        "UnsignedLongLongPacker" => Packer::UnsignedBigInteger,
        "UUIDPacker" => Packer::Uuid,
        "StrPacker" => Packer::Text,
        other => panic!("the vectors have a packer {other}"),
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    text.parse().ok()
}

fn sesame(settings: SesameSettings) -> Sesame {
    Sesame::new(settings, &keys()).expect("the settings can be used")
}

fn with(change: impl FnOnce(&mut SesameSettings)) -> Sesame {
    let mut settings = SesameSettings::default();
    change(&mut settings);
    sesame(settings)
}

fn alice() -> Holder<'static> {
    Holder { key: "1", password: "argon2$argon2id$salt$hash", email: "alice@example.com", last_login: None }
}

/// Reads and verifies at once.
fn enter(sesame: &Sesame, token: &str, holder: &Holder<'_>, scope: &str) -> Result<(), SesameError> {
    sesame.read(token, now()).and_then(|token| sesame.verify(&token, holder, scope))
}

const VERSIONS: [TokenVersion; 2] = [TokenVersion::V1, TokenVersion::V2];
