//! The tests of narrows-web: a small site of their own, and what a project does with it.

mod accounts;
mod commands;
mod db;
mod diary;
mod flash;
mod forms;
mod project;
mod testing;
