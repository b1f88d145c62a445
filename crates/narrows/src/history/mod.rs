//! A group's history for those who broadcast, join and read: positions, recovery, pages.

mod join;
mod page;
mod publish;
mod recovery;

pub use self::page::{HistoryError, HistoryPage};
pub use self::recovery::Recovery;
