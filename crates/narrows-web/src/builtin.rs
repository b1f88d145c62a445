//! Templates that every site has. One of the same name in the project is taken in their place.

/// Their names and texts.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    ("accounts/login.html", include_str!("../templates/accounts/login.html")),
    ("accounts/logout.html", include_str!("../templates/accounts/logout.html")),
    ("accounts/password.html", include_str!("../templates/accounts/password.html")),
    ("accounts/register.html", include_str!("../templates/accounts/register.html")),
    ("base.html", include_str!("../templates/base.html")),
    ("narrows/base.html", include_str!("../templates/narrows/base.html")),
    ("narrows/development.html", include_str!("../templates/narrows/development.html")),
    ("narrows/error.html", include_str!("../templates/narrows/error.html")),
    ("narrows/forms.html", include_str!("../templates/narrows/forms.html")),
];
