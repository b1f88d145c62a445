use serde_json::Value;

/// What a view of Django's saw of a browser, and what the browser has then.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What the user logs in with, if one is logged in.
    pub user: Option<String>,
    /// The user's primary key, as Django keeps it in a session.
    pub id: Option<String>,
    /// All that is in the session.
    pub session: Value,
    /// The session's key, if it has one.
    pub key: Option<String>,
    /// The value of the session's cookie that the browser has after the answer.
    pub cookie: Option<String>,
    /// What the answer says of that cookie, if anything: the value of `Set-Cookie`.
    pub set_cookie: Option<String>,
}

impl From<Value> for Seen {
    /// Reads the answer of one of the site's views.
    fn from(mut answer: Value) -> Self {
        assert_eq!(answer["status"], 200, "the view refuses it: {answer}");
        let mut content = answer["content"].take();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            user: text(&content["user"]),
            id: text(&content["id"]),
            key: text(&content["key"]),
            session: content["session"].take(),
            cookie: text(&answer["cookie"]),
            set_cookie: text(&answer["set_cookie"]),
        }
    }
}
