//! The admin by its pages, on a library.

mod project;
mod shell;
mod support;
