//! The rows in Django's tables that permissions are given by.

use narrows_django::NewPermission;
use narrows_web::Site;
use tokio::sync::OnceCell;

use crate::Admin;
use crate::model::Role;

/// Permissions besides those of models: model, action, name.
const OWN: &[(&str, &str, &str)] = &[
    ("log", "view", "Can view all changes"),
    ("connection", "view", "Can view connections"),
    ("connection", "end", "Can end connections"),
    ("announcement", "add", "Can send announcements"),
];

/// Whether they were made by this process.
#[derive(Debug, Default)]
pub(crate) struct Made(OnceCell<()>);

impl Made {
    /// Makes those that are missing, before the first page is shown. Django's own `migrate` makes the same rows.
    pub(crate) async fn ensure(&self, admin: &Admin, site: &Site) {
        let made = self.0.get_or_try_init(|| async { site.accounts().add_permissions(&all(admin)).await });
        if let Err(error) = made.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the permissions of the admin are not there"
            );
        }
    }
}

fn all(admin: &Admin) -> Vec<NewPermission> {
    let mut all = Vec::new();
    let mut add = |app: &str, model: &str, action: &str, name: String| {
        all.push(NewPermission {
            app: app.to_owned(),
            model: model.to_owned(),
            codename: format!("{action}_{model}"),
            name,
        });
    };
    let mut four = |app: &str, model: &str, name: &str| {
        for action in ["add", "change", "delete", "view"] {
            add(app, model, action, format!("Can {action} {name}"));
        }
    };
    // Those of groups are named as Django does, below; a user model of the site's own is one like others.
    for model in admin.models.iter().filter(|model| model.role != Role::Groups) {
        four(&model.app, &model.name, &model.singular.to_lowercase());
    }
    for (app, model, name) in [
        ("auth", "permission", "permission"),
        ("auth", "group", "group"),
        ("contenttypes", "contenttype", "content type"),
        ("sessions", "session", "session"),
    ] {
        four(app, model, name);
    }
    for (model, action, name) in OWN {
        add("narrows_admin", model, action, (*name).to_owned());
    }
    all
}
