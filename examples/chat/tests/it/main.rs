//! The chat site from outside: over TCP as any client sees it, and in a browser.

#![allow(clippy::unwrap_used, reason = "all of this is tests, the helpers too")]

mod bot;
mod browser;
mod nodes;
mod pages;
mod person;
mod plain;
mod program;
mod rooms;
mod site;
