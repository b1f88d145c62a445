use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Form;
use http::StatusCode;
use narrows::{Channels, Group};
use narrows_web::{Db, Error, Result, context};
use serde::Deserialize;

use super::{ANNOUNCE, to_its_end, write_down};
use crate::Admin;
use crate::log::{Action, Change};
use crate::rows::Key;
use crate::shell::AdminPage;

/// Who an announcement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All who listen to announcements: the group [`Group::everyone`], say.
    Everyone,
    /// The group of this name.
    Group(String),
}

type Failed = Box<dyn std::error::Error + Send + Sync>;
type Sending = Pin<Box<dyn Future<Output = std::result::Result<(), Failed>> + Send>>;

/// Sends an announcement, as the project says.
#[derive(Clone)]
pub(crate) struct Announce(Arc<dyn Fn(Channels, String, Target) -> Sending + Send + Sync>);

impl Announce {
    fn new<F, Fut, E>(send: F) -> Self
    where
        F: Fn(Channels, String, Target) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failed>,
    {
        Self(Arc::new(move |channels, text, target| {
            let sending = send(channels, text, target);
            Box::pin(async move { sending.await.map_err(Into::into) })
        }))
    }
}

impl fmt::Debug for Announce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announce")
    }
}

impl Admin {
    /// Lets the staff send announcements: what is sent, and to whom, is for the project to say. Without it there is no form.
    ///
    /// ```
    /// use narrows::Group;
    /// use narrows_admin::{Admin, Target};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # #[serde(tag = "type", rename_all = "lowercase")]
    /// # enum Message { Notice { text: String } }
    ///
    /// let admin = Admin::new().announce(|channels, text, target| async move {
    ///     let group = match target {
    ///         Target::Everyone => Group::everyone(),
    ///         Target::Group(name) => Group::new(name)?,
    ///     };
    ///     channels.broadcast(&group, &Message::Notice { text }).await?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    /// });
    /// ```
    #[must_use]
    pub fn announce<F, Fut, E>(mut self, send: F) -> Self
    where
        F: Fn(Channels, String, Target) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failed>,
    {
        self.announce = Some(Announce::new(send));
        self
    }
}

/// The longest announcement, in characters.
const MAX_CHARS: usize = 2000;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    text: String,
    /// `everyone` or `group`.
    #[serde(default)]
    to: String,
    #[serde(default)]
    group: String,
}

/// The form for an announcement.
pub(crate) async fn form(page: AdminPage) -> Result {
    page.staff().need(ANNOUNCE)?;
    show(&page, &Typed::default(), &[])
}

/// Sends an announcement.
pub(crate) async fn send(page: AdminPage, db: Db, Form(typed): Form<Typed>) -> Result {
    page.staff().need(ANNOUNCE)?;
    let announce = page.admin().announce.clone().ok_or_else(Error::not_found)?;
    let text = typed.text.trim().replace("\r\n", "\n");
    let mut errors = Vec::new();
    if text.is_empty() {
        errors.push(("text", "Type what is to be said.".to_owned()));
    } else if text.chars().count() > MAX_CHARS {
        errors.push(("text", format!("At most {MAX_CHARS} characters go in here.")));
    }
    let group = typed.group.trim();
    let target = match typed.to.as_str() {
        "everyone" => Some(Target::Everyone),
        "group" => match Group::<()>::new(group) {
            Ok(_) => Some(Target::Group(group.to_owned())),
            Err(error) => {
                errors.push(("group", format!("This is no group: {error}.")));
                None
            }
        },
        // Half a form is for nobody.
        _ => {
            errors.push(("form", "Choose who gets it.".to_owned()));
            None
        }
    };
    match target.filter(|_| errors.is_empty()) {
        Some(target) => to_its_end(announced(page, db, announce, typed, text, target)).await,
        None => show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &typed, &errors),
    }
}

async fn announced(
    page: AdminPage,
    db: Db,
    announce: Announce,
    typed: Typed,
    text: String,
    target: Target,
) -> Result {
    let to = match &target {
        Target::Everyone => "everyone".to_owned(),
        Target::Group(name) => name.clone(),
    };
    if let Err(error) = announce.0(page.site().channels().clone(), text.clone(), target).await {
        tracing::error!(error = &*error as &dyn std::error::Error, "an announcement was not sent");
        let errors = [("form", "It was not sent. Try again in a moment.".to_owned())];
        return show(&page.status(StatusCode::SERVICE_UNAVAILABLE), &typed, &errors);
    }
    let changes = [Change::of("text", None, Some(&text))];
    let object = ("live_announcement", &Key(vec![to.clone()]));
    write_down(&db, page.staff(), Action::Announce, object, &to, &changes).await?;
    page.success(format!("The announcement was sent to {to}."));
    page.redirect("admin:announcements", &[])
}

fn show(page: &AdminPage, typed: &Typed, errors: &[(&str, String)]) -> Result {
    let error = |name: &str| errors.iter().find(|(of, _)| *of == name).map(|(_, text)| text.clone());
    page.render(
        "admin/live/announce.html",
        context! {
            title => "Announcements",
            crumbs => page.crumbs(&[("Announcements", None)]),
            text => typed.text.clone(), group => typed.group.clone(), to_group => typed.to == "group",
            text_error => error("text"), group_error => error("group"), form_error => error("form"),
            max_chars => MAX_CHARS,
        },
    )
}
