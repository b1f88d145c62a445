//! Running a server: settings so far.

pub mod settings;
