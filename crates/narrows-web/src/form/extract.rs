use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};

use super::Form;
use super::fields::Fields;
use crate::{Error, Site};

const URL_ENCODED: &str = "application/x-www-form-urlencoded";

impl<T> FromRequest<Site> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Error> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            let query = request.uri().query().unwrap_or_default();
            return read(query.as_bytes());
        }
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(URL_ENCODED) {
            return Err(Error::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        match Bytes::from_request(request, site).await {
            Ok(body) => read(&body),
            Err(refusal) => Err(Error::status(refusal.into_response().status())),
        }
    }
}

fn read<T>(text: &[u8]) -> Result<Form<T>, Error> {
    Fields::parse(text).map(Form::from_fields).ok_or_else(Error::bad_request)
}
