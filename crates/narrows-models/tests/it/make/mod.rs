//! From entities to written migrations.

mod answers;
mod applied;
mod apps;
mod command;
mod compiled;
mod diffed;
mod entities;
mod project;
mod property;
mod read;
mod rendered;
mod snapshots;
mod written;
