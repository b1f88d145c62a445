//! The admin by its pages, on a library.

mod forms;
mod forum;
mod hall;
mod lists;
mod live;
mod log;
mod people;
mod permissions;
mod project;
mod removal;
mod servers;
mod sessions;
mod shell;
mod support;
mod users;
