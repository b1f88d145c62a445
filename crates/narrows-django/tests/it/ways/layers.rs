use http::request::Parts;
use narrows::Identity;
use narrows_django::Accounts;
use narrows_django::ways::{Entering, TokenWay, WayIn};

use super::kit::{Site, ask};

/// Says that everybody is this one.
struct Always(&'static str);

impl WayIn for Always {
    fn enter<'a>(&'a self, _: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a> {
        Box::pin(async move {
            let user = accounts.user_by_name(self.0).await?;
            Ok(user.map(|user| {
                let identity = Identity::new().with_user(user.id.as_str());
                (user, identity)
            }))
        })
    }
}

#[tokio::test]
async fn the_way_of_the_outermost_layer_is_asked_first() {
    let site = Site::new().await;
    let accounts = &site.accounts;
    let app = Site::views()
        .layer(accounts.way_in(Always("bob")))
        .layer(accounts.way_in(Always("alice")))
        .layer(accounts.way_in(Always("nobody of this name")))
        .layer(accounts.layer());
    assert_eq!(ask(&app, "/twice", &[]).await.text, "alice alice");
}

#[tokio::test]
async fn a_way_of_one_route_is_no_way_to_another() {
    let site = Site::new().await;
    let accounts = &site.accounts;
    let one = Site::views().layer(accounts.way_in(Always("alice")));
    let app = axum::Router::new().nest("/one", one).nest("/other", Site::views()).layer(accounts.layer());
    assert_eq!(ask(&app, "/one/maybe", &[]).await.text, "alice");
    assert_eq!(ask(&app, "/other/maybe", &[]).await.text, "nobody");
}

#[tokio::test]
async fn a_refusal_names_all_ways_that_have_a_name() {
    let site = Site::new().await;
    let accounts = &site.accounts;
    let app = Site::views()
        .layer(accounts.way_in(TokenWay::new()))
        .layer(accounts.way_in(Always("nobody of this name")))
        .layer(accounts.way_in(TokenWay::new().keyword("Bearer")))
        .layer(accounts.layer());
    let answer = ask(&app, "/me", &[]).await;
    let named: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(named, ["Token", "Bearer"]);
}
