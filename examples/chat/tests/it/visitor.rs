use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::site::{Answer, Site};

pub(crate) const PASSWORD: &str = "a quiet green field";

/// Somebody with a browser without JavaScript: it keeps cookies, and sends forms.
pub(crate) struct Visitor<'a> {
    site: &'a Site,
    pub(crate) cookie: String,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(site: &'a Site) -> Self {
        Self { site, cookie: String::new() }
    }

    /// Somebody who has just registered.
    pub(crate) async fn registered(site: &'a Site, name: &str) -> Self {
        let mut visitor = Self::new(site);
        let fields = [("username", name), ("password", PASSWORD), ("password_again", PASSWORD)];
        assert_eq!(visitor.submit("/register/", &fields).await.status(), 303);
        visitor
    }

    /// Somebody who registered before, on another device.
    pub(crate) async fn logged_in(site: &'a Site, name: &str) -> Self {
        let mut visitor = Self::new(site);
        let answer = visitor.submit("/login/", &[("username", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status(), 303);
        visitor
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let headers = self.cookies();
        self.keep(self.site.request("GET", path, &headers).await)
    }

    /// Sends a form of a page of this site.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("origin: http://{}\r\nsec-fetch-site: same-origin\r\n", self.site.address);
        self.submit_from(&origin, path, fields).await
    }

    /// The same with these headers, which say where the form is from.
    pub(crate) async fn submit_from(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let quote = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
        let body = body.join("&");
        let headers = format!(
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n{from}{}",
            body.len(),
            self.cookies()
        );
        self.keep(self.site.send("POST", path, &headers, &body).await)
    }

    /// Posts JSON, as a program does.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Answer {
        let headers =
            format!("content-type: application/json\r\ncontent-length: {}\r\n{}", body.len(), self.cookies());
        self.keep(self.site.send("POST", path, &headers, body).await)
    }

    fn cookies(&self) -> String {
        if self.cookie.is_empty() { String::new() } else { format!("cookie: {}\r\n", self.cookie) }
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        let set = answer.header("set-cookie");
        if let Some((cookie, rest)) = set.split_once(';') {
            self.cookie = if rest.contains("Max-Age=0") { String::new() } else { cookie.to_owned() };
        }
        answer
    }
}
