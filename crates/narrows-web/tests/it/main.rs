//! The tests of narrows-web: a small site of their own, and what a project does with it.

mod accounts;
mod assets;
mod db;
mod flash;
mod forms;
mod pages;
mod static_files;
mod testing;
