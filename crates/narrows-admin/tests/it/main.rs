//! The admin by its pages, on a library.

mod forms;
mod lists;
mod log;
mod permissions;
mod project;
mod removal;
mod shell;
mod support;
