//! Users and their passwords: made, changed and ended on one side, known on the other.

use chrono::{DateTime, Utc};
use rig::Django;
use serde_json::{Value, json};

use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::site::both_ways;
use super::{PASSWORD, on_each_database};

const OTHER_PASSWORD: &str = "battery staple, 電池";

on_each_database!(
    who_registers_on_one_side_may_log_in_on_the_other,
    a_user_of_narrows_is_complete_to_django,
    another_password_ends_all_sessions_but_the_one_it_was_changed_in,
    a_user_who_may_not_log_in_is_nobody_on_either_side,
    a_password_by_old_means_is_kept_by_new_ones_after_a_login,
);

async fn both(ground: &Ground) -> Option<(Django, NarrowsSite)> {
    let url = ground.fresh_database();
    let django = Django::on(&url).quick_hashers().migrated()?;
    Some((django, NarrowsSite::on(&url, |accounts| accounts).await))
}

async fn who_registers_on_one_side_may_log_in_on_the_other(ground: Ground) {
    let Some((django, narrows)) = both(&ground).await else { return };
    for (n, (one, other)) in both_ways(&django, &narrows).into_iter().enumerate() {
        let name = format!("Zoë.{n}@example+電池-_");
        let id = one.register(&name, PASSWORD).await;
        assert_eq!(other.authenticate(&name, PASSWORD).await.as_ref(), Some(&id), "{one} to {other}");
        assert_eq!(other.authenticate(&name, "wrong").await, None, "{one} to {other}");
        let cookie = other.login(&name, PASSWORD).await.unwrap();
        assert_eq!(one.whoami(&cookie).await.id, Some(id), "{other} to {one}");
    }
}

async fn a_user_of_narrows_is_complete_to_django(ground: Ground) {
    let Some((django, narrows)) = both(&ground).await else { return };
    let before = Utc::now() - chrono::Duration::seconds(1);
    narrows.register("zoë", PASSWORD).await;
    let cookie = narrows.login("zoë", PASSWORD).await.unwrap();
    let fields = django.fields("zoë").await.unwrap();
    for key in ["first_name", "last_name", "email"] {
        assert_eq!(fields[key], "", "{key}");
    }
    let flags = ["is_active", "is_staff", "is_superuser"].map(|key| &fields[key]);
    assert_eq!(flags, [&json!(true), &json!(false), &json!(false)]);
    for key in ["date_joined", "last_login"] {
        let time: DateTime<Utc> = fields[key].as_str().unwrap().parse().unwrap();
        assert!(before <= time && time <= Utc::now(), "{key}: {time}");
    }
    // Django validates what it saves as a form does.
    let code = "user(name).full_clean()\nuser(name).save()";
    django.run(code, json!({"name": "zoë"})).await.unwrap();
    assert_eq!(narrows.whoami(&cookie).await.user.as_deref(), Some("zoë"));
}

async fn another_password_ends_all_sessions_but_the_one_it_was_changed_in(ground: Ground) {
    let Some((django, narrows)) = both(&ground).await else { return };
    for (n, (one, other)) in both_ways(&django, &narrows).into_iter().enumerate() {
        let name = format!("zoë{n}");
        one.register(&name, PASSWORD).await;
        let cookies =
            [one.login(&name, PASSWORD).await.unwrap(), other.login(&name, PASSWORD).await.unwrap()];
        let kept = one.login(&name, PASSWORD).await.unwrap();
        let kept = one.change_password(&kept, PASSWORD, OTHER_PASSWORD).await.cookie.unwrap();
        for side in [&other, &one] {
            assert_eq!(side.whoami(&kept).await.user.as_ref(), Some(&name), "{one} to {side}");
            assert_eq!(side.authenticate(&name, PASSWORD).await, None, "{one} to {side}");
            assert!(side.authenticate(&name, OTHER_PASSWORD).await.is_some(), "{one} to {side}");
        }
        for cookie in &cookies {
            assert_eq!(other.whoami(cookie).await.user, None, "{one} to {other}");
        }
    }
}

async fn a_user_who_may_not_log_in_is_nobody_on_either_side(ground: Ground) {
    let Some((django, narrows)) = both(&ground).await else { return };
    let id = django.create_user("zoë", PASSWORD).await.unwrap();
    let id = narrows_django::UserId::new(&id);
    let sides = both_ways(&django, &narrows);
    let cookie = django.login("zoë", PASSWORD).await.unwrap().unwrap();
    for (one, other) in &sides {
        // One of them ends it and lets it begin again; both have to see both.
        for active in [false, true] {
            match one.to_string().as_str() {
                "Django" => django.set_active("zoë", active).await.unwrap(),
                _ => assert!(narrows.accounts.set_active(&id, active).await.unwrap()),
            }
            for side in [one, other] {
                assert_eq!(side.whoami(&cookie).await.user.is_some(), active, "{one} to {side}");
                assert_eq!(side.authenticate("zoë", PASSWORD).await.is_some(), active, "{one} to {side}");
            }
        }
    }
    django.delete_user("zoë").await.unwrap();
    assert_eq!(narrows.whoami(&cookie).await.user, None);
}

async fn a_password_by_old_means_is_kept_by_new_ones_after_a_login(ground: Ground) {
    let Some((django, narrows)) = both(&ground).await else { return };
    let quick = "pbkdf2_sha256$1000$";
    let kept = async |name: &str| {
        let fields: Value = django.fields(name).await.unwrap();
        fields["password"].as_str().unwrap().to_owned()
    };
    for hasher in ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"] {
        for (one, other) in both_ways(&django, &narrows) {
            let name = format!("{hasher}.{one}");
            django.create_user(&name, PASSWORD).await.unwrap();
            let text = django.make_password(PASSWORD, hasher).await.unwrap();
            django.set_fields(&name, json!({"password": text})).await.unwrap();
            assert_eq!(one.login(&name, "wrong").await, None, "{name}");
            assert_eq!(kept(&name).await, text);
            let cookie = one.login(&name, PASSWORD).await.unwrap();
            let now = kept(&name).await;
            assert!(
                now.starts_with(quick) && (now == text) == text.starts_with(quick),
                "{name}: {text}, {now}"
            );
            assert_eq!(other.whoami(&cookie).await.user, Some(name.clone()));
            assert!(other.authenticate(&name, PASSWORD).await.is_some(), "{name}");
        }
    }
}
