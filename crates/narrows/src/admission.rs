use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use crate::limits::Limits;
use crate::stats::Counters;
use crate::sync::{Arc, Mutex, lock};

/// Counts the connections that are open, in all and for each address.
#[derive(Debug)]
pub(crate) struct Admission {
    counters: Arc<Counters>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    /// Told when the last connection has ended.
    idle: Notify,
}

/// Which limit a connection would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    InAll,
    FromAddress,
}

impl Admission {
    pub(crate) fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { counters, by_address: Mutex::default(), idle: Notify::new() })
    }

    /// Waits until no connection is left.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.counters.connections.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Counts a connection in, until the permit is dropped.
    pub(crate) fn admit(self: &Arc<Self>, limits: &Limits, address: Option<IpAddr>) -> Result<Permit, Full> {
        let before = self.counters.connections.fetch_add(1, Ordering::Relaxed);
        // From here on the permit counts it out again.
        let mut permit = Permit { admission: self.clone(), address: None };
        if limits.max_connections > 0 && before >= limits.max_connections as u64 {
            return Err(Full::InAll);
        }
        if let (Some(address), 1..) = (address, limits.max_connections_per_address) {
            let mut by_address = lock(&self.by_address);
            let open = by_address.entry(address).or_default();
            if *open >= limits.max_connections_per_address {
                return Err(Full::FromAddress);
            }
            *open += 1;
            permit.address = Some(address);
        }
        Ok(permit)
    }
}

/// One connection's place in the count.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.admission.counters.connections.fetch_sub(1, Ordering::Release) == 1 {
            self.admission.idle.notify_waiters();
        }
        let Some(address) = self.address else { return };
        let mut by_address = lock(&self.admission.by_address);
        if let Some(open) = by_address.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                by_address.remove(&address);
            }
        }
    }
}
