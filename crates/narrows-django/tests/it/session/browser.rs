use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// Keeps the session's cookie and sends it with each request.
pub(super) struct Browser {
    app: Router,
    pub(super) cookie: Option<String>,
    name: &'static str,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) set_cookie: Option<String>,
    /// Null where the answer is not JSON.
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn vary(&self) -> Option<&str> {
        self.headers.get("vary").map(|value| value.to_str().unwrap())
    }
}

impl Browser {
    pub(super) fn new(app: Router) -> Self {
        Self { app, cookie: None, name: "sessionid" }
    }

    pub(super) fn with_cookie(mut self, cookie: &str) -> Self {
        self.cookie = Some(cookie.to_owned());
        self
    }

    pub(super) fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Lets the site do this, and sees that it did.
    pub(super) async fn tell(&mut self, lines: &str) -> Answer {
        let answer = self.send("POST", "/do", lines).await;
        assert_eq!(answer.status, StatusCode::OK, "{lines}: {answer:?}");
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let response = self.app.clone().oneshot(self.request(method, path, body)).await.unwrap();
        let (head, body) = response.into_parts();
        let set_cookie = head.headers.get("set-cookie").map(|header| header.to_str().unwrap().to_owned());
        if let Some(header) = &set_cookie {
            let (name, rest) = header.split_once('=').unwrap();
            assert_eq!(name, self.name);
            let value = rest.split(';').next().unwrap();
            self.cookie = (value != "\"\"").then(|| value.to_owned());
        }
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: head.status, headers: head.headers, set_cookie, body }
    }

    pub(super) fn request(&self, method: &str, path: &str, body: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {}={cookie}", self.name));
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }
}
