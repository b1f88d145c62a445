//! The admin by its pages, on a library.

mod hall;
mod live;
mod project;
mod sessions;
mod shell;
mod support;
