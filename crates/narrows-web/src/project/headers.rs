use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};

/// No other site puts the pages into a frame.
const NO_FRAMES: &str = "frame-ancestors 'none'";

/// The headers that every answer has, unless its view says something else.
///
/// They are those of Django's `SecurityMiddleware` and `XFrameOptionsMiddleware`.
#[derive(Debug, Clone)]
pub(crate) struct SecurityHeaders {
    policy: HeaderValue,
    frames: bool,
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self { policy: HeaderValue::from_static(NO_FRAMES), frames: false }
    }
}

impl SecurityHeaders {
    pub(super) fn set_policy(&mut self, policy: &str) {
        let policy = policy.trim().trim_end_matches(';');
        self.frames = policy.contains("frame-ancestors");
        let whole = if self.frames { policy.to_owned() } else { format!("{policy}; {NO_FRAMES}") };
        self.policy = HeaderValue::from_str(&whole).expect("a policy is written in ASCII, on one line");
    }

    /// Puts them on every answer of this router.
    pub(super) fn around(self, router: Router) -> Router {
        router.layer(map_response(move |mut response: Response| {
            self.add_to(&mut response);
            async { response }
        }))
    }

    fn add_to(&self, response: &mut Response) {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        let fixed: [(HeaderName, &'static str); 3] = [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "same-origin"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        ];
        let headers = response.headers_mut();
        for (name, value) in fixed {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if !headers.contains_key(CONTENT_SECURITY_POLICY) {
            headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
            if !self.frames {
                // For browsers from before that policy.
                headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
            }
        }
    }
}
