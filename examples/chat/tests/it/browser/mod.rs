//! The pages in Debian's Chromium, driven over WebDriver.

mod driver;
mod plain;
mod rooms;
mod tab;

use driver::with_browsers;
use tab::Tab;
