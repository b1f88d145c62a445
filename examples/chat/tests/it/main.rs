//! The chat site from outside: over TCP as any client sees it, and in a browser.

#![allow(clippy::unwrap_used, reason = "all of this is tests, the helpers too")]

mod accounts;
mod admin;
mod adopted;
mod bot;
mod browser;
mod databases;
mod known;
mod messages;
mod nodes;
mod notifications;
mod pages;
mod person;
mod plain;
mod program;
mod rooms;
mod site;
mod visitor;
