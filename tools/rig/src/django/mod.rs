mod options;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use options::DjangoOptions;
pub use seen::Seen;

use crate::python::{Pending, PythonProcess, call};

/// A real Django site in a process of its own; killed when this and its clones are dropped.
///
/// It works on one call after the other. Users are named by what they log in with. A browser is what it is to Django: the
/// value of a cookie.
///
/// ```
/// # use serde_json::json;
/// let folder = tempfile::tempdir().unwrap();
/// let url = format!("sqlite://{}/db.sqlite?mode=rwc", folder.path().display());
/// let Some(django) = rig::Django::on(&url).migrated() else { return };
/// django.create_user("ann", "correct horse").wait().unwrap();
/// let cookie = django.login("ann", "correct horse").wait().unwrap().expect("the password is right");
/// assert_eq!(django.whoami(&cookie).wait().unwrap().user.as_deref(), Some("ann"));
/// ```
#[derive(Clone, Debug)]
pub struct Django {
    process: Arc<PythonProcess>,
}

impl Django {
    /// The `SECRET_KEY` of a site that was given no other.
    pub const SECRET_KEY: &str = "of a test, and long enough that Django does not complain: 0123456789";

    /// A site with its users and sessions in the database of this URL: `sqlite://path?mode=rwc`, `postgres://…` or
    /// `mysql://…`.
    #[must_use]
    pub fn on(database: &str) -> DjangoOptions {
        DjangoOptions::new(database)
    }

    pub(crate) fn new(process: PythonProcess) -> Self {
        Self { process: Arc::new(process) }
    }

    /// Changes a setting from now on, for requests to come: `SESSION_ENGINE`, `SECRET_KEY` and the like.
    pub fn change_setting(&self, name: &str, value: impl Into<Value>) -> Pending<()> {
        self.call("change_setting", json!({"name": name, "value": value.into()}), drop)
    }

    /// Takes a setting back to Django's default.
    pub fn forget_setting(&self, name: &str) -> Pending<()> {
        self.call("forget_setting", json!({"name": name}), drop)
    }

    /// Changes `SESSION_ENGINE`, by the name of the engine.
    pub fn change_session_engine(&self, name: &str) -> Pending<()> {
        self.change_setting("SESSION_ENGINE", format!("django.contrib.sessions.backends.{name}"))
    }

    /// `manage.py migrate`; gives what it prints.
    pub fn migrate(&self) -> Pending<String> {
        self.call("migrate", json!({}), text)
    }

    /// The migrations that are not applied yet.
    pub fn unapplied(&self) -> Pending<Vec<String>> {
        self.call("unapplied", json!({}), |value| {
            value.as_array().expect("a list").iter().cloned().map(text).collect()
        })
    }

    /// What the database says of each table: its columns with types and defaults, its keys and indexes.
    pub fn schema(&self) -> Pending<Value> {
        self.call("schema", json!({}), |value| value)
    }

    /// Makes a user; gives the primary key as Django keeps it in a session.
    pub fn create_user(&self, name: &str, password: &str) -> Pending<String> {
        self.create_user_with(name, password, json!({}))
    }

    /// The same with further fields, such as `json!({"email": "ann@example.com"})`.
    pub fn create_user_with(&self, name: &str, password: &str, fields: Value) -> Pending<String> {
        self.call("create_user", json!({"name": name, "password": password, "fields": fields}), text)
    }

    /// `user.set_password(password)`, saved.
    pub fn set_password(&self, name: &str, password: &str) -> Pending<()> {
        self.call("set_password", json!({"name": name, "password": password}), drop)
    }

    /// Sets fields of a user as they are and saves it, as a form of the admin's does; `password` is then the hash.
    pub fn set_fields(&self, name: &str, fields: Value) -> Pending<()> {
        self.call("set_fields", json!({"name": name, "fields": fields}), drop)
    }

    /// `is_active`, saved.
    pub fn set_active(&self, name: &str, is_active: bool) -> Pending<()> {
        self.set_fields(name, json!({"is_active": is_active}))
    }

    /// All fields of a user, times and UUIDs as text.
    pub fn fields(&self, name: &str) -> Pending<Value> {
        self.call("fields", json!({"name": name}), |value| value)
    }

    /// Deletes a user.
    pub fn delete_user(&self, name: &str) -> Pending<()> {
        self.call("delete_user", json!({"name": name}), drop)
    }

    /// `make_password(password, hasher=hasher)`, such as `pbkdf2_sha256` or `argon2`.
    pub fn make_password(&self, password: &str, hasher: &str) -> Pending<String> {
        self.call("make_password", json!({"password": password, "hasher": hasher, "salt": null}), text)
    }

    /// `check_password(password, encoded)`.
    pub fn check_password(&self, password: &str, encoded: &str) -> Pending<bool> {
        let is_right = |value: Value| value.as_bool().expect("a password is right or not");
        self.call("check_password", json!({"password": password, "encoded": encoded}), is_right)
    }

    /// `authenticate(username=name, password=password)`: the primary key of who it is.
    pub fn authenticate(&self, name: &str, password: &str) -> Pending<Option<String>> {
        self.call("authenticate", json!({"name": name, "password": password}), optional_text)
    }

    /// A browser without a cookie logs in; gives the session's cookie, or nothing where Django refuses it.
    pub fn login(&self, name: &str, password: &str) -> Pending<Option<String>> {
        let body = json!({"username": name, "password": password});
        self.browse("POST", "/login/", None, body, |answer| {
            if answer["status"] == 403 { None } else { Seen::from(answer).cookie }
        })
    }

    /// What a view sees of a browser with this cookie.
    pub fn whoami(&self, cookie: &str) -> Pending<Seen> {
        self.browse("GET", "/whoami/", Some(cookie), json!({}), Seen::from)
    }

    /// The browser logs out.
    pub fn logout(&self, cookie: &str) -> Pending<Seen> {
        self.browse("POST", "/logout/", Some(cookie), json!({}), Seen::from)
    }

    /// The browser's user changes the password, and stays logged in with the new cookie.
    pub fn change_password(&self, cookie: &str, password: &str) -> Pending<Seen> {
        self.browse("POST", "/password/", Some(cookie), json!({"password": password}), Seen::from)
    }

    /// The browser's session, or a new one, gets these values.
    pub fn set_session(&self, cookie: Option<&str>, values: Value) -> Pending<Seen> {
        self.browse("POST", "/session/", cookie, json!({"set": values}), Seen::from)
    }

    /// `request.session.set_expiry(seconds)`; 0 is until the browser closes.
    pub fn set_expiry(&self, cookie: &str, seconds: i64) -> Pending<Seen> {
        self.browse("POST", "/session/", Some(cookie), json!({"expiry": seconds}), Seen::from)
    }

    /// A token of django-sesame.
    pub fn sesame_token(&self, name: &str, scope: &str) -> Pending<String> {
        self.call("sesame_token", json!({"name": name, "scope": scope}), text)
    }

    /// Whose token of django-sesame it is, if it is good.
    pub fn sesame_user(
        &self,
        token: &str,
        scope: &str,
        max_age: Option<Duration>,
    ) -> Pending<Option<String>> {
        let max_age = max_age.map(|age| age.as_secs());
        let arguments = json!({"token": token, "scope": scope, "max_age": max_age});
        self.call("sesame_user", arguments, optional_text)
    }

    /// The token of Django REST framework of a user, who gets one if need be; see [`DjangoOptions::rest_tokens`].
    pub fn rest_token(&self, name: &str) -> Pending<String> {
        self.call("rest_token", json!({"name": name}), text)
    }

    /// `signing.dumps(value, salt=salt, compress=compress)`.
    pub fn dumps(&self, value: Value, salt: &str, compress: bool) -> Pending<String> {
        self.call("dumps", json!({"value": value, "salt": salt, "compress": compress}), text)
    }

    /// `signing.loads(text, salt=salt, max_age=max_age)`.
    pub fn loads(&self, signed: &str, salt: &str, max_age: Option<Duration>) -> Pending<Value> {
        let max_age = max_age.map(|age| age.as_secs());
        self.call("loads", json!({"text": signed, "salt": salt, "max_age": max_age}), |value| value)
    }

    /// Runs Python in the site, which sees the fields of `arguments` as names, and `User`, `connection` and the like; gives
    /// what it leaves in `result`.
    ///
    /// ```no_run
    /// # use serde_json::json;
    /// # let Some(django) = rig::Django::on("sqlite::memory:").start() else { return };
    /// let double = django.run("result = 2 * number", json!({"number": 21}));
    /// assert_eq!(double.wait().unwrap(), 42);
    /// ```
    pub fn run(&self, code: &str, arguments: Value) -> Pending<Value> {
        self.call("run", json!({"code": code, "arguments": arguments}), |value| value)
    }

    /// Serves the site over HTTP from now on, for as long as the process runs; gives the port on 127.0.0.1.
    ///
    /// `GET /whoami/` says who is logged in. `POST /login/` takes `username` and `password`, as a form or as JSON, and its
    /// `GET` is the form; `POST /logout/`, and `POST /password/` with `password`, are for who is logged in;
    /// `POST /session/` sets values: `{"set": {…}, "expiry": seconds, "cycle": true, "flush": true}`.
    pub fn serve(&self) -> Pending<u16> {
        self.call("serve", json!({}), |value| {
            value.as_u64().and_then(|port| port.try_into().ok()).expect("a port")
        })
    }

    /// Ends the process as a crash does; all calls under way fail.
    pub fn kill(&self) {
        self.process.kill();
    }

    fn browse<T>(
        &self,
        method: &str,
        path: &str,
        cookie: Option<&str>,
        body: Value,
        read: impl FnOnce(Value) -> T + Send + 'static,
    ) -> Pending<T> {
        let arguments = json!({"method": method, "path": path, "cookie": cookie, "body": body});
        self.call("browse", arguments, read)
    }

    fn call<T>(
        &self,
        name: &str,
        arguments: Value,
        read: impl FnOnce(Value) -> T + Send + 'static,
    ) -> Pending<T> {
        call(&self.process, name, arguments, Duration::ZERO, read)
    }
}

fn optional_text(value: Value) -> Option<String> {
    Some(value).filter(|value| !value.is_null()).map(text)
}

fn text(value: Value) -> String {
    if let Value::String(text) = value { text } else { panic!("a text, not {value}") }
}
