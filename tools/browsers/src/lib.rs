//! Debian's Chromium in tests, driven over WebDriver.

mod devtools;
mod driver;
mod tab;

pub use driver::{Browsers, with_browsers};
pub use tab::Tab;
