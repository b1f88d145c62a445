//! What a program does with its migrations, by the command line.

mod app;
pub mod make;

pub use app::AppModels;
