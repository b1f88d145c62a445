//! The rig does what it says.

mod cluster;
mod proxy;
mod python;
mod redis;
mod sentinels;
