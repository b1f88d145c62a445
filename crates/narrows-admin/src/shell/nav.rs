use narrows_web::{Result, Site};
use serde::Serialize;

use super::Staff;
use crate::Admin;
use crate::model::Role;
use crate::model::title;

/// A part of the navigation.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    title: String,
    links: Vec<Link>,
}

/// A page that its reader may see.
#[derive(Debug, Serialize)]
struct Link {
    title: String,
    url: String,
    /// Where a row is added, for who may.
    add_url: Option<String>,
    /// Whether it is the page at hand, or one below it.
    is_current: bool,
}

/// Pages besides those of models: section, title, route, and the permission that it takes to see them.
///
/// The route of one that is not there is left out.
const PAGES: &[(&str, &str, &str, &str)] = &[
    ("Accounts", "Sessions", "admin:sessions", "sessions.view_session"),
    ("Live", "Connections", "admin:live", "narrows_admin.view_connection"),
    ("Live", "Announcements", "admin:announcements", "narrows_admin.add_announcement"),
    ("History", "All changes", "admin:log", "narrows_admin.view_log"),
];

/// The navigation of a member of the staff, on the page with this path.
pub(super) fn sections(admin: &Admin, site: &Site, staff: &Staff, path: &str) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut add = |section: &str, link: Link| match sections.iter_mut().find(|known| known.title == section) {
        Some(section) => section.links.push(link),
        None => sections.push(Section { title: section.to_owned(), links: vec![link] }),
    };
    for model in &admin.models {
        let may = |action: &str| staff.may_do(model, action);
        if !(may("view") || may("add")) {
            continue;
        }
        let url = site.url_for("admin:list", &[("model", model.table.as_str())])?;
        let add_url = may("add").then(|| format!("{url}add/"));
        let is_current = path.starts_with(&url);
        // Who may only add begins there.
        let url = if may("view") { url } else { add_url.clone().unwrap_or(url) };
        let section = if model.role == Role::Plain { title(&model.app) } else { "Accounts".to_owned() };
        add(&section, Link { title: model.plural.clone(), url, add_url, is_current });
    }
    for (section, title, route, permission) in PAGES {
        if !staff.may(permission) {
            continue;
        }
        let Ok(url) = site.url_for::<&str, &str>(route, &[]) else { continue };
        let is_current = path.starts_with(&url);
        add(section, Link { title: (*title).to_owned(), url, add_url: None, is_current });
    }
    // Of addresses below one another it is the nearest.
    let current = sections.iter().flat_map(|section| &section.links).filter(|link| link.is_current);
    let nearest = current.map(|link| link.url.len()).max();
    for link in sections.iter_mut().flat_map(|section| &mut section.links) {
        link.is_current &= Some(link.url.len()) == nearest;
    }
    Ok(sections)
}
