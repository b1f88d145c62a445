//! Live connections: listed, counted, ended by their ids, on one node and on several.

mod ending;
mod listing;
mod nodes;
mod sending;
