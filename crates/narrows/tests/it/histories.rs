//! Groups with a history: positions, recovery, holes and pages.

mod blocking;
mod holes;
mod joins;
mod kit;
mod pages;
mod storm;
mod without;
