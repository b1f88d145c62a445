use std::fmt;

use rig::{Django, Seen};
use serde_json::Value;

use super::narrows_site::NarrowsSite;

/// One of the two, by what a browser and an operator can do with both.
pub(super) enum Site<'a> {
    Django(&'a Django),
    Narrows(&'a NarrowsSite),
}

/// Each of the two with the other.
pub(super) fn both_ways<'a>(django: &'a Django, narrows: &'a NarrowsSite) -> [(Site<'a>, Site<'a>); 2] {
    [(Site::Django(django), Site::Narrows(narrows)), (Site::Narrows(narrows), Site::Django(django))]
}

impl Site<'_> {
    /// A browser logs in; its cookie, unless it is refused.
    pub(super) async fn login(&self, name: &str, password: &str) -> Option<String> {
        match self {
            Self::Django(django) => django.login(name, password).await.unwrap(),
            Self::Narrows(narrows) => narrows.login(name, password).await,
        }
    }

    /// What a view sees of a browser with this cookie; with Narrows, a socket too.
    pub(super) async fn whoami(&self, cookie: &str) -> Seen {
        match self {
            Self::Django(django) => django.whoami(cookie).await.unwrap(),
            Self::Narrows(narrows) => narrows.whoami(cookie).await,
        }
    }

    pub(super) async fn logout(&self, cookie: &str) -> Seen {
        match self {
            Self::Django(django) => django.logout(cookie).await.unwrap(),
            Self::Narrows(narrows) => narrows.post("/logout/", Some(cookie), &Value::Null).await,
        }
    }

    /// The browser's user takes another password and stays logged in.
    pub(super) async fn change_password(&self, cookie: &str, old: &str, new: &str) -> Seen {
        match self {
            Self::Django(django) => django.change_password(cookie, new).await.unwrap(),
            Self::Narrows(narrows) => narrows.change_password(cookie, old, new).await,
        }
    }

    /// Sets values in the browser's session, or in a new one.
    pub(super) async fn set_session(&self, cookie: Option<&str>, values: Value) -> Seen {
        match self {
            Self::Django(django) => django.set_session(cookie, values).await.unwrap(),
            Self::Narrows(narrows) => narrows.post("/session/", cookie, &values).await,
        }
    }

    /// Makes a user; gives the primary key.
    pub(super) async fn register(&self, name: &str, password: &str) -> String {
        match self {
            Self::Django(django) => django.create_user(name, password).await.unwrap(),
            Self::Narrows(narrows) => narrows.register(name, password).await,
        }
    }

    /// The primary key of who has this name and this password, and may log in.
    pub(super) async fn authenticate(&self, name: &str, password: &str) -> Option<String> {
        match self {
            Self::Django(django) => django.authenticate(name, password).await.unwrap(),
            Self::Narrows(narrows) => narrows.authenticate(name, password).await,
        }
    }
}

impl fmt::Display for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Django(_) => "Django",
            Self::Narrows(_) => "Narrows",
        })
    }
}
