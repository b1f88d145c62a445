//! What helps to test consumers and sites.

mod faults;
mod faulty_layer;

pub use faults::{FaultCounts, Faults};
pub use faulty_layer::FaultyLayer;
