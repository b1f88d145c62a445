//! Accounts as a program's settings say them.

use std::time::Duration;

use narrows::serve::settings::{Command, Loaded, Program, Settings};
use narrows_django::{
    AccountSettings, AccountSettingsError, KeyKind, SessionCookie, SessionEngine, UserModel,
};

fn load(args: &[&str], environment: &[(&str, &str)]) -> Box<Loaded> {
    let program = AccountSettings::add_to(Program::new("site", "1"));
    match Settings::load(&program, args, environment.iter().copied()).unwrap() {
        Command::Run(loaded) => loaded,
        Command::Print(text) => panic!("{text}"),
    }
}

fn read(args: &[&str], environment: &[(&str, &str)]) -> Result<AccountSettings, AccountSettingsError> {
    AccountSettings::read(&load(args, environment))
}

#[test]
fn without_any_setting_all_is_as_in_a_new_django_site() {
    let settings = read(&[], &[]).unwrap();
    assert!(settings.database_url.is_none() && settings.keys.is_none());
    assert_eq!(settings.engine, SessionEngine::Database);
    assert_eq!((settings.cookie, settings.model), (SessionCookie::default(), UserModel::default()));
    let sesame = settings.sesame;
    assert!(sesame.token_name == "sesame" && sesame.max_age.is_none() && !sesame.one_time);
}

#[test]
fn the_variables_of_other_programs_count_and_those_of_narrows_win() {
    let bare = [("DATABASE_URL", "postgres://bare/db"), ("SECRET_KEY", "bare")];
    let settings = read(&[], &bare).unwrap();
    assert_eq!(settings.database_url.as_deref(), Some("postgres://bare/db"));
    assert_eq!(settings.keys.unwrap().current(), "bare");
    let own = [bare[0], bare[1], ("NARROWS_DATABASE_URL", "mysql://own/db"), ("NARROWS_SECRET_KEY", "own")];
    let settings = read(&["--secret-key-fallbacks=old,older"], &own).unwrap();
    assert_eq!(settings.database_url.as_deref(), Some("mysql://own/db"));
    assert_eq!(settings.keys.unwrap().all().collect::<Vec<_>>(), ["own", "old", "older"]);
}

#[test]
fn every_setting_of_sessions_users_and_tokens_is_read() {
    let settings = read(
        &[
            "--session-engine=file",
            "--session-file-path=/var/sessions",
            "--session-cookie-name=sid",
            "--session-cookie-age=8h",
            "--session-cookie-secure",
            "--session-cookie-samesite=strict",
            "--session-cookie-domain=example.com",
            "--user-table=people_person",
            "--user-key=uuid",
            "--user-key-kind=uuid",
            "--username-column=email",
            "--sesame-token-name=token",
            "--sesame-max-age=10m",
            "--sesame-one-time",
            "--sesame-key=k",
        ],
        &[],
    );
    let settings = settings.unwrap();
    assert_eq!(settings.engine, SessionEngine::Files("/var/sessions".into()));
    let cookie = SessionCookie::default().name("sid").age(Duration::from_secs(8 * 3600)).secure(true);
    let cookie = cookie.same_site(narrows_django::SameSite::Strict).domain("example.com");
    assert_eq!(settings.cookie, cookie);
    let UserModel { table, key, key_kind, username, .. } = settings.model;
    assert_eq!((table.as_str(), key.as_str(), username.as_str()), ("people_person", "uuid", "email"));
    assert_eq!(key_kind, KeyKind::Uuid);
    let sesame = settings.sesame;
    assert_eq!((sesame.token_name.as_str(), sesame.key.as_str(), sesame.one_time), ("token", "k", true));
    assert_eq!((sesame.max_age, sesame.packer), (Some(Duration::from_secs(600)), KeyKind::Uuid.into()));
}

#[test]
fn what_does_not_work_is_named() {
    for (args, expected) in [
        (&["--secret-key-fallbacks=old"][..], AccountSettingsError::OnlyFallbacks),
        (&["--session-engine=file"], AccountSettingsError::NoFilePath),
        (&["--session-cookie-name=two words"], AccountSettingsError::CookieName),
        (&["--session-cookie-name="], AccountSettingsError::CookieName),
        (&["--session-cookie-domain=example.com; Secure"], AccountSettingsError::CookieDomain),
    ] {
        assert_eq!(read(args, &[]).unwrap_err(), expected, "{args:?}");
    }
}

#[test]
fn no_secret_is_printed() {
    let program = AccountSettings::add_to(Program::new("site", "1"));
    let environment = [("DATABASE_URL", "postgres://u:hunter2@db/x"), ("SECRET_KEY", "hunter2")];
    let args = ["--print-config", "--sesame-key=hunter2", "--secret-key-fallbacks=hunter2"];
    let Command::Print(config) = Settings::load(&program, args, environment).unwrap() else {
        panic!("it ran")
    };
    assert!(config.contains("database_url is set, but secret") && !config.contains("hunter2"), "{config}");
    let settings = read(&args[1..], &environment).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
}
