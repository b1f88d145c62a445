use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use super::error::BenchError;

/// The addresses that connections come from: each has only so many ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources {
    to: IpAddr,
    per_address: usize,
}

impl Sources {
    /// For connections to these addresses, of which there is one at least.
    pub(super) fn new(mut to: impl Iterator<Item = IpAddr>) -> Self {
        let first = to.next().expect("connections go somewhere");
        // What is true of the narrowest is true of all.
        let to = to.find(|other| !is_local(*other)).filter(|_| is_local(first)).unwrap_or(first);
        // Where this cannot be read, the range is Linux's default.
        let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        let ports = ports(&text).unwrap_or(28_232);
        // The last free ports take the system long to find, and other programs need some.
        Self { to, per_address: (ports - ports / 8).max(1) }
    }

    /// Makes sure that there are ports for so many connections at once.
    pub(super) fn check(&self, connections: usize) -> Result<(), BenchError> {
        if connections > self.per_address && !self.has_many() {
            let Self { to, per_address } = *self;
            return Err(BenchError::Ports { to, connections, ports: per_address });
        }
        Ok(())
    }

    /// Where the connection with this number comes from, if it is not for the system to say: to a loopback address,
    /// 127.0.0.2 follows when 127.0.0.1 is used up, and so on.
    pub(super) fn of(&self, number: usize) -> Option<IpAddr> {
        self.nth(number / self.per_address)
    }

    /// Takes turns, so that ports rest before they are used again.
    pub(super) fn in_turn(&self, number: usize) -> Option<IpAddr> {
        const ADDRESSES: usize = 16;
        self.nth(number % ADDRESSES)
    }

    fn nth(&self, block: usize) -> Option<IpAddr> {
        let block = u32::try_from(block).ok().filter(|block| *block > 0 && self.has_many())?;
        Some(Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + block).into())
    }

    fn has_many(&self) -> bool {
        is_local(self.to)
    }
}

/// Whether it can be reached from any of 127.0.0.0/8.
fn is_local(to: IpAddr) -> bool {
    to.is_ipv4() && to.is_loopback()
}

/// How many ports the range of `ip_local_port_range` has.
fn ports(text: &str) -> Option<usize> {
    let mut numbers = text.split_whitespace().map(str::parse::<usize>);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    last.checked_sub(first).map(|more| more + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_to_this_machine_come_from_several_addresses() {
        let local = Sources { to: Ipv4Addr::LOCALHOST.into(), per_address: 28_000 };
        assert_eq!(local.of(27_999), None);
        assert_eq!(local.of(28_000), Some("127.0.0.2".parse().unwrap()));
        assert_eq!(local.of(60_000), Some("127.0.0.3".parse().unwrap()));
        assert!(local.check(1_000_000).is_ok());
        assert_eq!((local.in_turn(0), local.in_turn(33)), (None, Some("127.0.0.2".parse().unwrap())));
    }

    #[test]
    fn other_addresses_have_the_ports_of_one() {
        for to in ["10.0.0.1", "::1"] {
            let sources = Sources { to: to.parse().unwrap(), per_address: 28_000 };
            assert_eq!(sources.of(60_000), None);
            assert!(sources.check(28_000).is_ok());
            let said = sources.check(28_001).unwrap_err().to_string();
            assert!(said.contains("28000") && said.contains("ip_local_port_range"), "{said}");
        }
    }

    #[test]
    fn the_range_of_ports_is_as_the_system_says() {
        assert_eq!(ports("32768\t60999\n"), Some(28_232));
        assert_eq!(ports("1024 1024"), Some(1));
        assert_eq!(ports("9 1"), None);
        assert_eq!(ports(""), None);
    }
}
