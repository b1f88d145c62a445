//! Real Redis servers and databases, their faults, and Django on the other side: what the crates beside the framework
//! are tested with.
//!
//! ```
//! let Some(redis) = rig::Redis::start() else { return };
//! redis.cli(&["SET", "greeting", "hello"]);
//! redis.restart();
//! assert_eq!(redis.cli(&["EXISTS", "greeting"]), "0");
//! ```
//!
//! Where `redis-server`, or the Python environment, is missing the test is left out as [`programs::need`] does it.
//! Everything belongs to the value that started it and ends when that is dropped, also when a test panics; so keep
//! none of them in a static. No wait is without a bound: a test that waits in vain panics with the end of the log.

mod cluster;
mod database;
mod django;
mod ports;
mod process;
mod proxy;
mod python;
mod resp;
mod sentinels;
mod server;
mod tls;
mod wait;

pub use cluster::Cluster;
pub use database::{MariaDb, Postgres};
pub use django::{Django, DjangoOptions, Seen};
pub use proxy::{Bytes, Proxy};
pub use python::{Consumer, Layer, LayerOptions, Pending, Python, PythonError, Sent, bytes, bytes_of};
pub use resp::{Connection, Reply};
pub use sentinels::Sentinels;
pub use server::{Redis, RedisOptions};
pub use wait::{PATIENCE, wait_until};
