//! The tests of narrows-web: a small site of their own, and what a project does with it.

mod accounts;
mod db;
mod flash;
mod forms;
mod testing;
