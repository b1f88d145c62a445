//! The channel layers that come with the framework.

mod memory;

pub use memory::MemoryLayer;
