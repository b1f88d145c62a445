//! Tests of a project: the whole site without a port, and browsers that keep their cookies.

mod browser;
mod site;

pub use narrows::testing::{ConnectRequest, TestClient, TestResponse};

pub use self::browser::Browser;
pub use self::site::TestSite;
