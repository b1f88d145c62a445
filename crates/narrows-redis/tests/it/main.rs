//! The layers against a real Redis.

mod conformance;
