//! Ways in without a session: tokens of Django REST framework and of django-sesame, made on either side.

use std::time::SystemTime;

use narrows_django::sesame::{Holder, Sesame, SesameSettings};
use narrows_django::{Accounts, UserId};
use rig::Django;
use serde_json::json;

use super::ground::Ground;
use super::http::request;
use super::narrows_site::NarrowsSite;
use super::socket::Socket;
use super::{PASSWORD, on_each_database};

on_each_database!(
    a_token_of_django_rest_framework_is_good_on_both_sides,
    a_link_of_django_sesame_is_good_on_both_sides,
);

async fn both(ground: &Ground) -> Option<(Django, NarrowsSite, UserId)> {
    let url = ground.fresh_database();
    let django = Django::on(&url).quick_hashers().rest_tokens().migrated()?;
    let id = django.create_user("zoë", PASSWORD).await.unwrap();
    Some((django, NarrowsSite::on(&url, |accounts| accounts).await, UserId::new(&id)))
}

async fn user(accounts: &Accounts, id: &UserId) -> narrows_django::User {
    accounts.user_by_id(id).await.unwrap().expect("the user is there")
}

/// Who a view and a socket see: nobody, where the socket is refused.
async fn seen(narrows: &NarrowsSite, query: &str, headers: &[(&'static str, &str)]) -> Option<String> {
    let answer = request(narrows.address, "GET", &format!("/whoami/{query}"), headers, None).await;
    let by_view = answer.json()["user"].as_str().map(str::to_owned);
    let socket = Socket::connect(narrows.address, &format!("/ws/user/{query}"), headers).await;
    let by_socket = match socket {
        Ok(mut socket) => Some(socket.receive().await.as_str().unwrap().to_owned()),
        Err(401) => None,
        Err(status) => panic!("a socket is refused with {status}"),
    };
    assert_eq!(by_view, by_socket);
    by_view
}

async fn a_token_of_django_rest_framework_is_good_on_both_sides(ground: Ground) {
    let Some((django, narrows, id)) = both(&ground).await else { return };
    let theirs = django.rest_token("zoë").await.unwrap();
    let by = async |token: &str| seen(&narrows, "", &[("authorization", &format!("Token {token}"))]).await;
    assert_eq!(by(&theirs).await.as_deref(), Some("zoë"));
    assert_eq!(by(&theirs.replace(|_| true, "0")).await, None);
    django
        .run("from rest_framework.authtoken.models import Token\nToken.objects.all().delete()", json!({}))
        .await
        .unwrap();
    assert_eq!(by(&theirs).await, None);
    let ours = narrows.accounts.make_token(&user(&narrows.accounts, &id).await).await.unwrap();
    assert_eq!(django.rest_token("zoë").await.unwrap(), ours);
    django.set_active("zoë", false).await.unwrap();
    assert_eq!(by(&ours).await, None);
}

async fn a_link_of_django_sesame_is_good_on_both_sides(ground: Ground) {
    let Some((django, narrows, id)) = both(&ground).await else { return };
    let theirs = django.sesame_token("zoë", "").await.unwrap();
    let by = async |token: &str| seen(&narrows, &format!("?sesame={token}"), &[]).await;
    assert_eq!(by(&theirs).await.as_deref(), Some("zoë"));
    let sesame = Sesame::new(SesameSettings::default(), narrows.accounts.keys()).unwrap();
    let zoe = user(&narrows.accounts, &id).await;
    let ours = sesame.token(&Holder::from(&zoe), "", SystemTime::now()).unwrap();
    assert_eq!(django.sesame_user(&ours, "", None).await.unwrap().as_deref(), Some("zoë"));
    django.set_password("zoë", "another, 馬").await.unwrap();
    assert_eq!(by(&theirs).await, None);
    assert_eq!(django.sesame_user(&ours, "", None).await.unwrap(), None);
}
