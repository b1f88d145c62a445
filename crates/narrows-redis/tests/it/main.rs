//! The layers against a real Redis, with Django Channels on the other side.

mod capacity;
mod churn;
mod conformance;
mod consumers;
mod direct;
mod expiry;
mod groups;
mod keys;
mod large;
mod lone_sender;
mod matrix;
mod membership;
mod named;
mod names;
mod node;
mod order;
mod refuse;
mod site;
mod thousands;
mod values;
