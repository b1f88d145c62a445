use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A TCP port on 127.0.0.1 that nothing listens on.
///
/// Another program may take it before the test's does, so prefer programs that bind to port 0 and say which
/// they got.
///
/// # Panics
///
/// When the machine has no port left.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Waits until something accepts connections on this port of 127.0.0.1.
///
/// For programs that do not say when they are ready; [`Child::line`](crate::Child::line) is better.
///
/// # Panics
///
/// When nothing does within 30 s.
pub fn wait_for_port(port: u16) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        assert!(Instant::now() < end, "nothing listens on {address} after 30 s: {error}");
        // A refused connection is no event to wait for; try again a little later.
        thread::sleep(Duration::from_millis(10));
    }
}
