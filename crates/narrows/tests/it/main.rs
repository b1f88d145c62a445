//! The tests of the public API, in one binary.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod accepting;
mod blocking;
mod compile_fail;
mod consumers;
mod cookies;
mod endings;
#[cfg(feature = "internals")]
mod fatal;
mod faulty_layer;
mod gated_layer;
mod groups;
mod histories;
mod identities;
mod js_client;
mod layers;
mod leaving;
mod live;
mod logged;
mod long_handlers;
mod memory_queues;
mod origin;
mod over_tcp;
mod placement;
mod presence;
mod protocol;
mod proxies;
mod real_site;
mod resume;
mod routing;
mod scope;
mod settings;
mod site;
mod slow_clients;
mod test_kit;
mod timers;
mod within;
mod workers;
