//! Tokens of a table of ours or of Django REST framework, and links for one time, on each database.

use std::time::SystemTime;

use axum::Router;
use narrows_django::Accounts;
use narrows_django::sesame::{Holder, Sesame, SesameSettings};
use narrows_django::ways::{SesameWay, TokenWay};
use rig::Django;

use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::{PASSWORD, on_each_database};
use crate::ways::kit::{Site, ask, who};

on_each_database!(
    a_token_of_a_table_of_ours_lets_in_until_it_is_deleted,
    a_token_that_django_made_lets_in_and_ours_is_djangos,
    of_many_with_the_same_link_for_one_time_one_comes_in,
);

fn with_tokens(accounts: &Accounts) -> Router {
    Site::views().layer(accounts.way_in(TokenWay::new())).layer(accounts.layer())
}

async fn fresh(ground: &Ground) -> NarrowsSite {
    let site = NarrowsSite::on(&ground.fresh_database(), |accounts| accounts).await;
    site.accounts.database().create_tables().await.unwrap();
    site.register("alice", PASSWORD).await;
    site
}

async fn a_token_of_a_table_of_ours_lets_in_until_it_is_deleted(ground: Ground) {
    let site = fresh(&ground).await;
    let accounts = &site.accounts;
    // Twice, as it happens at each start of a site.
    accounts.create_token_table().await.unwrap();
    accounts.create_token_table().await.unwrap();
    let alice = accounts.user_by_name("alice").await.unwrap().unwrap();
    let token = accounts.make_token(&alice).await.unwrap();
    assert_eq!(accounts.make_token(&alice).await.unwrap(), token);

    let app = with_tokens(accounts);
    assert_eq!(who(&app, &format!("Token {token}")).await, "alice");
    // Some databases compare texts without their case.
    assert_eq!(who(&app, &format!("Token {}", token.to_uppercase())).await, "nobody");
    assert_eq!(accounts.delete_tokens(&alice).await.unwrap(), 1);
    assert_eq!(who(&app, &format!("Token {token}")).await, "nobody");
}

async fn a_token_that_django_made_lets_in_and_ours_is_djangos(ground: Ground) {
    let url = ground.fresh_database();
    let Some(django) = Django::on(&url).quick_hashers().rest_tokens().migrated() else { return };
    let site = NarrowsSite::on(&url, |accounts| accounts).await;
    for name in ["alice", "bob"] {
        site.register(name, PASSWORD).await;
    }
    // As at each start of a site: the table that is there stays.
    site.accounts.create_token_table().await.unwrap();
    let theirs = django.rest_token("alice").await.unwrap();
    assert_eq!(who(&with_tokens(&site.accounts), &format!("Token {theirs}")).await, "alice");

    let bob = site.accounts.user_by_name("bob").await.unwrap().unwrap();
    let ours = site.accounts.make_token(&bob).await.unwrap();
    assert_eq!(django.rest_token("bob").await.unwrap(), ours);
}

async fn of_many_with_the_same_link_for_one_time_one_comes_in(ground: Ground) {
    let site = fresh(&ground).await;
    let accounts = &site.accounts;
    let mut settings = SesameSettings::default();
    settings.one_time = true;
    let sesame = Sesame::new(settings, accounts.keys()).unwrap();
    let app = Site::views().layer(accounts.way_in(SesameWay::new(sesame.clone()))).layer(accounts.layer());
    // For a user who was never here, and for one who was.
    for _ in 0..2 {
        let alice = accounts.user_by_name("alice").await.unwrap().unwrap();
        let token = sesame.token(&Holder::from(&alice), "", SystemTime::now()).unwrap();
        let target = format!("/maybe?sesame={token}");
        let answers = futures_util::future::join_all((0..8).map(|_| ask(&app, &target, &[]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.text == "alice").count(), 1);
    }
}
