//! Narrows.

mod limits;
mod origin;
pub mod scope;

pub use limits::Limits;
pub use origin::{
    AllowedOrigins, MissingOrigin, OriginPolicy, OriginRefused, ParseOriginPolicyError, Suspicion,
};
