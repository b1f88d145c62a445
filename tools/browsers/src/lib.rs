//! Debian's Chromium in tests, driven over WebDriver.

mod axe;
mod devtools;
mod driver;
mod tab;

pub use axe::Axe;
pub use driver::{Browsers, with_browsers};
pub use tab::Tab;
