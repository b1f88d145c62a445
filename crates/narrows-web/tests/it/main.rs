//! The tests of narrows-web: a small site of their own, and what a project does with it.

mod accounts;
mod assets;
mod commands;
mod db;
mod diary;
mod errors;
mod flash;
mod forms;
mod pages;
mod project;
mod routes;
mod static_files;
mod templates;
mod testing;
