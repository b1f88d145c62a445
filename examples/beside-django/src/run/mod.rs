//! The programs beside this one: Python's environment, Django's server, Redis.

mod held;
mod python;
mod redis;
mod website;

pub(crate) use held::Held;
pub(crate) use python::Python;
pub(crate) use redis::start_redis;
pub(crate) use website::Website;
