//! The chat site from outside: over TCP as any client sees it, and in a browser.

mod browser;
mod pages;
mod person;
mod plain;
mod program;
mod rooms;
mod site;
