//! Tables that Narrows has made: Django takes them for its own.

use narrows_django::Database;
use rig::Django;
use serde_json::{Value, json};

use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::site::both_ways;
use super::{PASSWORD, on_each_database};

on_each_database!(
    django_migrates_and_uses_the_tables_of_narrows,
    the_tables_of_narrows_are_those_of_django,
    narrows_leaves_the_tables_of_django_as_they_are,
);

async fn create_tables(url: &str) {
    let database = Database::connect(url).await.unwrap();
    // Twice, as it happens at each start of a site.
    database.create_tables().await.unwrap();
    database.create_tables().await.unwrap();
}

async fn django_migrates_and_uses_the_tables_of_narrows(ground: Ground) {
    let url = ground.fresh_database();
    let Some(django) = Django::on(&url).quick_hashers().rest_tokens().start() else { return };
    create_tables(&url).await;
    let narrows = NarrowsSite::on(&url, |accounts| accounts).await;
    let early = narrows.register("early", PASSWORD).await;
    django.migrate().await.unwrap();
    assert_eq!(django.unapplied().await.unwrap(), Vec::<String>::new());
    assert_eq!(django.authenticate("early", PASSWORD).await.unwrap(), Some(early));
    for (one, other) in both_ways(&django, &narrows) {
        let name = format!("late.{one}");
        one.register(&name, PASSWORD).await;
        let cookie = one.login(&name, PASSWORD).await.unwrap();
        assert_eq!(other.whoami(&cookie).await.user, Some(name));
    }
    // What hangs on users: groups, permissions and the tables of other applications.
    let code = "from django.contrib.auth.models import Group, Permission\n\
                found = user('early')\n\
                found.groups.add(Group.objects.create(name='g'))\n\
                found.user_permissions.add(Permission.objects.get(codename='add_user'))\n\
                result = user('early').has_perm('auth.add_user')";
    assert_eq!(django.run(code, json!({})).await.unwrap(), true);
    assert_eq!(django.rest_token("early").await.unwrap().len(), 40);
    django.delete_user("early").await.unwrap();
}

async fn schema(django: &Django) -> Value {
    django.schema().await.unwrap()
}

async fn the_tables_of_narrows_are_those_of_django(ground: Ground) {
    let (theirs, ours) = (ground.fresh_database(), ground.fresh_database());
    let Some(expected) = Django::on(&theirs).migrated() else { return };
    let Some(made) = Django::on(&ours).start() else { return };
    create_tables(&ours).await;
    let (expected, made) = (schema(&expected).await, schema(&made).await);
    for (table, of_django) in expected.as_object().unwrap() {
        assert_eq!(&made[table], of_django, "{table}");
    }
    assert_eq!(made.as_object().unwrap().len(), expected.as_object().unwrap().len());
}

async fn narrows_leaves_the_tables_of_django_as_they_are(ground: Ground) {
    let url = ground.fresh_database();
    let Some(django) = Django::on(&url).quick_hashers().migrated() else { return };
    django.create_user("zoë", PASSWORD).await.unwrap();
    let before = schema(&django).await;
    create_tables(&url).await;
    assert_eq!(schema(&django).await, before);
    assert!(django.authenticate("zoë", PASSWORD).await.unwrap().is_some());
    assert_eq!(django.unapplied().await.unwrap(), Vec::<String>::new());
}
