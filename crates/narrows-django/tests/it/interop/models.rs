//! Users of a site's own: other keys, other columns, another name to log in with.

use narrows_django::{KeyKind, UserModel};
use rig::{Django, DjangoOptions};

use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::site::both_ways;
use super::{PASSWORD, on_each_database};

on_each_database!(
    users_whose_key_is_a_uuid_are_the_same_on_both_sides,
    users_whose_key_is_long_are_the_same_on_both_sides,
    users_who_are_named_by_email_are_the_same_on_both_sides,
);

fn model(table: &str, key_kind: KeyKind) -> UserModel {
    let mut model = UserModel::default();
    (model.table, model.key_kind) = (table.to_owned(), key_kind);
    model
}

async fn is_the_same_on_both_sides(
    ground: &Ground,
    choose: impl FnOnce(DjangoOptions) -> DjangoOptions,
    model: UserModel,
    names: [&str; 2],
) {
    let url = ground.fresh_database();
    let Some(django) = choose(Django::on(&url).quick_hashers()).migrated() else { return };
    let narrows = NarrowsSite::on(&url, |accounts| accounts.user_model(model)).await;
    for (name, (one, other)) in names.into_iter().zip(both_ways(&django, &narrows)) {
        let id = one.register(name, PASSWORD).await;
        for (from, to) in [(&one, &other), (&other, &one)] {
            let cookie = from.login(name, PASSWORD).await.unwrap();
            let seen = to.whoami(&cookie).await;
            assert_eq!((seen.user.as_deref(), seen.id.as_ref()), (Some(name), Some(&id)), "{from} to {to}");
            to.logout(&cookie).await;
            assert_eq!(from.whoami(&cookie).await.user, None, "{to} to {from}");
        }
    }
}

async fn users_whose_key_is_a_uuid_are_the_same_on_both_sides(ground: Ground) {
    let model = model("uuid_users_user", KeyKind::Uuid);
    is_the_same_on_both_sides(&ground, DjangoOptions::uuid_users, model, ["ann", "bob"]).await;
}

async fn users_whose_key_is_long_are_the_same_on_both_sides(ground: Ground) {
    let model = model("big_users_user", KeyKind::BigInteger);
    is_the_same_on_both_sides(&ground, DjangoOptions::big_users, model, ["ann", "bob"]).await;
}

async fn users_who_are_named_by_email_are_the_same_on_both_sides(ground: Ground) {
    let mut model = model("email_users_user", KeyKind::BigInteger);
    model.username = "email".to_owned();
    (model.first_name, model.last_name, model.date_joined) = (None, None, None);
    let names = ["ann@example.com", "bob@example.com"];
    is_the_same_on_both_sides(&ground, DjangoOptions::email_users, model, names).await;
}
