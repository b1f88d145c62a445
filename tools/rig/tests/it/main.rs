//! The rig does what it says.

mod cluster;
mod databases;
mod django;
mod proxy;
mod python;
mod redis;
mod sentinels;
