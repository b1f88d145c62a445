use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that systems give to outgoing connections, and so that the second port of a cluster's node, 10 000
/// higher, is between.
const FIRST: u16 = 11_000;
const LAST: u16 = 20_999;

/// A TCP port on 127.0.0.1 that nothing listens on, another one at each call.
///
/// Not one of the system's choice ([`programs::free_port`]): while a server is down, an outgoing connection of any
/// program could take such a port, and the server could not come back to it.
///
/// # Panics
///
/// When all ports are taken.
pub(crate) fn free() -> u16 {
    // Test programs that run at the same time begin at different places.
    static NEXT: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(RandomState::new().hash_one(0) as u32));
    let count = u32::from(LAST - FIRST) + 1;
    (0..count)
        .map(|_| {
            FIRST + u16::try_from(NEXT.fetch_add(1, Ordering::Relaxed) % count).expect("count is below 65536")
        })
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a port is free")
}
