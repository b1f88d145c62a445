//! Who is in a group: tracking, diffs, rosters, and what nodes do to them that die, freeze or lose their store.

mod blocking;
mod diffs;
mod kit;
mod nodes;
mod odd_layer;
mod odd_times;
mod property;
mod suite;
mod tracking;
mod workers;
