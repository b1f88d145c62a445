//! Secret keys that change: who was logged in stays logged in, and needs the old key only once.

use narrows_django::{SecretKeys, SessionEngine};
use rig::Django;

use super::PASSWORD;
use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::site::Site;

const OLD: &str = "the key of last year, which somebody has seen: 0123456789";
const NEW: &str = "the key of this year, which nobody else knows: 0123456789";

struct Sites {
    django: Django,
    /// With the old key, with both, and with the new one alone.
    narrows: [NarrowsSite; 3],
}

impl Sites {
    async fn start(ground: &Ground, engine: &str) -> Option<Self> {
        let (url, folder) = (ground.fresh_database(), ground.folder());
        let django = Django::on(&url).quick_hashers().session_files(&folder).session_engine(engine);
        let django = django.migrated()?;
        let store = || match engine {
            "db" => SessionEngine::Database,
            "cached_db" => SessionEngine::CachedDatabase,
            "signed_cookies" => SessionEngine::SignedCookies,
            _ => SessionEngine::Files(folder.clone()),
        };
        let site =
            async |keys| NarrowsSite::with_keys(keys, &url, |accounts| accounts.sessions(store())).await;
        let both = SecretKeys::new(NEW).fallbacks([OLD]);
        let narrows = [site(SecretKeys::new(OLD)).await, site(both).await, site(SecretKeys::new(NEW)).await];
        Some(Self { django, narrows })
    }

    /// Both sides with the old key (0), both keys (1), the new key (2).
    async fn with(&self, which: usize) -> [Site<'_>; 2] {
        let (key, fallbacks): (_, &[&str]) = [(OLD, &[][..]), (NEW, &[OLD]), (NEW, &[])][which];
        self.django.change_setting("SECRET_KEY", key).await.unwrap();
        self.django.change_setting("SECRET_KEY_FALLBACKS", fallbacks).await.unwrap();
        [Site::Django(&self.django), Site::Narrows(&self.narrows[which])]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_the_old_key_is_renewed_on_one_side_and_good_for_the_new_key_on_both() {
    let ground = Ground::sqlite();
    for engine in ["db", "cached_db", "signed_cookies", "file"] {
        let Some(sites) = Sites::start(&ground, engine).await else { return };
        sites.django.create_user("zoë", PASSWORD).await.unwrap();
        for (from, renewing) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let old = sites.with(0).await[from].login("zoë", PASSWORD).await.unwrap();
            let case = format!("{engine}, from {from} by {renewing}");
            let renewed = sites.with(1).await[renewing].whoami(&old).await;
            assert_eq!(renewed.user.as_deref(), Some("zoë"), "{case}");
            let cookie = renewed.cookie.unwrap();
            assert_ne!(cookie, old, "{case}");
            for side in sites.with(1).await.iter().chain(&sites.with(2).await) {
                assert_eq!(side.whoami(&cookie).await.user.as_deref(), Some("zoë"), "{case}, {side}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_a_key_that_is_known_no_more_is_nobodys() {
    let ground = Ground::sqlite();
    for engine in ["db", "signed_cookies"] {
        let Some(sites) = Sites::start(&ground, engine).await else { return };
        sites.django.create_user("zoë", PASSWORD).await.unwrap();
        for from in 0..2 {
            for side in 0..2 {
                let old = sites.with(0).await[from].login("zoë", PASSWORD).await.unwrap();
                assert_eq!(sites.with(2).await[side].whoami(&old).await.user, None, "{engine} {from} {side}");
            }
        }
    }
}
