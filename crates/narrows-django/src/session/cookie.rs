use std::time::Duration;

use chrono::{DateTime, Utc};

/// On which requests from other sites a browser sends a cookie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// On those that lead here, such as links.
    #[default]
    Lax,
    /// On none.
    Strict,
    /// On all; browsers then ask for [`SessionCookie::secure`].
    None,
    /// As the browser likes: the attribute is not sent. Django's `False`.
    Unset,
}

impl SameSite {
    fn text(self) -> Option<&'static str> {
        match self {
            Self::Lax => Some("Lax"),
            Self::Strict => Some("Strict"),
            Self::None => Some("None"),
            Self::Unset => None,
        }
    }
}

/// The session's cookie: Django's `SESSION_COOKIE_…`, with Django's defaults.
///
/// ```
/// use std::time::Duration;
/// use narrows_django::SessionCookie;
///
/// let cookie = SessionCookie::default().secure(true).age(Duration::from_secs(8 * 60 * 60));
/// ```
///
/// Beside a Django site the settings must be the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCookie {
    pub(crate) name: String,
    pub(crate) age: Duration,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    pub(crate) save_every_request: bool,
    pub(crate) expire_at_browser_close: bool,
}

impl Default for SessionCookie {
    fn default() -> Self {
        Self {
            name: "sessionid".to_owned(),
            age: Duration::from_secs(14 * 24 * 60 * 60),
            path: "/".to_owned(),
            domain: None,
            secure: false,
            http_only: true,
            same_site: SameSite::Lax,
            save_every_request: false,
            expire_at_browser_close: false,
        }
    }
}

impl SessionCookie {
    /// `SESSION_COOKIE_NAME`, and what the names of files begin with. Default `sessionid`.
    ///
    /// # Panics
    /// When a cookie cannot have this name: it takes letters, digits and ``!#$%&'*+-.^_`|~``.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        let all_right = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(
            !self.name.is_empty() && self.name.bytes().all(all_right),
            "no name of a cookie: {:?}",
            self.name
        );
        self
    }

    /// `SESSION_COOKIE_AGE`: for how long a session holds after it was last saved. Default two weeks.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// `SESSION_COOKIE_PATH`. Default `/`.
    ///
    /// # Panics
    /// When it has a `;`, or what is not visible ASCII.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = attribute(path.into());
        self
    }

    /// `SESSION_COOKIE_DOMAIN`: subdomains see the cookie, too. Default the host alone.
    ///
    /// # Panics
    /// When it has a `;`, or what is not visible ASCII.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(attribute(domain.into()));
        self
    }

    /// `SESSION_COOKIE_SECURE`: over TLS alone. Default off, as it is in Django, since a site on `http://localhost`
    /// would have no sessions; turn it on where users are.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// `SESSION_COOKIE_HTTPONLY`: hidden from the page's scripts. Default on.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// `SESSION_COOKIE_SAMESITE`. Default [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// `SESSION_SAVE_EVERY_REQUEST`: a session that is used does not end. Default off.
    #[must_use]
    pub fn save_every_request(mut self, save_every_request: bool) -> Self {
        self.save_every_request = save_every_request;
        self
    }

    /// `SESSION_EXPIRE_AT_BROWSER_CLOSE`, for sessions that say nothing of their own. Default off.
    #[must_use]
    pub fn expire_at_browser_close(mut self, expire_at_browser_close: bool) -> Self {
        self.expire_at_browser_close = expire_at_browser_close;
        self
    }

    /// The header that sets it, in the order and spelling of Django's; for so many seconds, or until the browser ends.
    pub(super) fn set(&self, value: &str, age: Option<i64>, now: DateTime<Utc>) -> String {
        let expires = age.map(|age| {
            let time = chrono::TimeDelta::try_seconds(age).and_then(|age| now.checked_add_signed(age));
            // Beyond the calendar: until the last day of four digits.
            time.map_or("Fri, 31 Dec 9999 23:59:59 GMT".to_owned(), |time| {
                time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
            })
        });
        self.header(value, expires.as_deref(), age, self.secure, self.http_only)
    }

    /// The header that deletes it.
    pub(super) fn delete(&self) -> String {
        // Browsers ignore it otherwise.
        let must_be_secure = self.name.starts_with("__Secure-")
            || self.name.starts_with("__Host-")
            || self.same_site == SameSite::None;
        self.header("\"\"", Some("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0), must_be_secure, false)
    }

    fn header(
        &self,
        value: &str,
        expires: Option<&str>,
        age: Option<i64>,
        secure: bool,
        http_only: bool,
    ) -> String {
        let age = age.map(|age| age.to_string());
        let with = |name: &str, value: Option<&str>| {
            value.map_or(String::new(), |value| format!("; {name}={value}"))
        };
        let flag = |name: &str, on: bool| if on { format!("; {name}") } else { String::new() };
        [
            format!("{}={value}", self.name),
            with("Domain", self.domain.as_deref()),
            with("expires", expires),
            flag("HttpOnly", http_only),
            with("Max-Age", age.as_deref()),
            with("Path", Some(&self.path)),
            with("SameSite", self.same_site.text()),
            flag("Secure", secure),
        ]
        .concat()
    }
}

fn attribute(text: String) -> String {
    let all_right = |byte: u8| byte.is_ascii_graphic() && byte != b';' && byte != b',';
    assert!(text.bytes().all(all_right), "a cookie cannot say {text:?}");
    text
}
