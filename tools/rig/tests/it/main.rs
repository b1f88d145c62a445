//! The rig does what it says.

mod proxy;
mod python;
mod redis;
