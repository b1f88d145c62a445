//! Narrows.

mod limits;
mod origin;
mod routing;
pub mod scope;

pub use limits::Limits;
pub use origin::{
    AllowedOrigins, MissingOrigin, OriginPolicy, OriginRefused, ParseOriginPolicyError, Suspicion,
};
pub use routing::{
    Captured, CapturedRejection, ConverterError, Integer, Resolved, RouteError, UrlRoutes, Value,
};
