use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The proxies whose word about a client is believed; by default none.
///
/// ```
/// use narrows::{Channels, scope::TrustedProxies};
///
/// // nginx on this machine, a load balancer's network, and whoever connects to a unix socket.
/// let proxies: TrustedProxies = "127.0.0.1, 10.1.0.0/16, unix".parse()?;
/// assert!(proxies.trusts("10.1.2.3".parse()?));
/// assert!(!proxies.trusts("10.2.0.1".parse()?));
///
/// let channels = Channels::builder().trusted_proxies(proxies).build();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// From a trusted peer these headers are read, from any other they are ignored:
///
/// * The client's address is found in `X-Forwarded-For` from the right, where the nearest proxy wrote: past
///   every address that is trusted itself, up to the first that is not. What stands further left may come from
///   the client, and is never looked at. An entry that is no address ends the walk at the proxy before it.
/// * `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Port` say what the client used. Of a list the
///   entry beside the client's is taken where there is one for each address, and the last one otherwise.
/// * `Forwarded` (RFC 7239) says all of it in one header, and is walked in the same way.
/// * Where the two kinds contradict each other neither is believed. A proxy writes one of them and may pass the
///   other on as the client sent it.
///
/// A proxy that is trusted must write or remove each of these headers, and must not be reachable past itself
/// by clients from a trusted address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
}

impl TrustedProxies {
    /// Trusts nobody: the default.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether a peer with this address is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// Whether whoever connects to a unix socket is believed.
    #[must_use]
    pub fn trusts_unix(&self) -> bool {
        self.unix
    }
}

/// Reads addresses, networks as `10.0.0.0/8`, and `unix`, with commas between.
impl FromStr for TrustedProxies {
    type Err = ParseTrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut proxies = Self::none();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry.eq_ignore_ascii_case("unix") {
                proxies.unix = true;
            } else {
                proxies.networks.push(entry.parse()?);
            }
        }
        Ok(proxies)
    }
}

/// The entries in a row, as they are read.
impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, network) in self.networks.iter().enumerate() {
            write!(f, "{}{}/{}", if index > 0 { ", " } else { "" }, network.address, network.bits)?;
        }
        match (self.unix, self.networks.is_empty()) {
            (false, false) => Ok(()),
            (false, true) => f.write_str("none"),
            (true, true) => f.write_str("unix"),
            (true, false) => f.write_str(", unix"),
        }
    }
}

/// Why a text names no trusted proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTrustedProxiesError {
    /// An entry is nothing that can be trusted.
    #[error("{entry:?} is no address, network or `unix`")]
    Entry {
        /// The entry as it was written.
        entry: String,
    },
    /// An entry is written as a network, but is one address in it.
    #[error("{entry:?} is an address inside a network; write {network}, or {address} for this one only")]
    HostBits {
        /// The entry as it was written.
        entry: String,
        /// The network that it lies in.
        network: String,
        /// The address alone.
        address: IpAddr,
    },
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && cut(address, self.bits) == self.address
    }
}

impl FromStr for Network {
    type Err = ParseTrustedProxiesError;

    fn from_str(entry: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseTrustedProxiesError::Entry { entry: entry.to_owned() };
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (entry, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            // `parse` alone would take a sign.
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        if cut(address, bits) != address {
            let network = format!("{}/{bits}", cut(address, bits));
            return Err(ParseTrustedProxiesError::HostBits { entry: entry.to_owned(), network, address });
        }
        // Peers are compared in their IPv4 form, so a network of such addresses is kept in it too.
        match (address.to_canonical(), bits) {
            (IpAddr::V4(v4), 96..) if address.is_ipv6() => Ok(Self { address: v4.into(), bits: bits - 96 }),
            _ => Ok(Self { address, bits }),
        }
    }
}

/// The address with all but its first bits zero.
fn cut(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()
        }
    }
}
