//! The tests of narrows-web: a small site of their own, and what a project does with it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod accounts;
mod assets;
mod auth;
mod commands;
mod db;
mod diary;
mod errors;
mod flash;
mod forms;
mod logs;
mod pages;
mod project;
mod reload;
mod routes;
mod static_files;
mod templates;
mod testing;
