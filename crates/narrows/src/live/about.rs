use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

/// What is known of a connection beside what its engine needs, in as few bytes as it takes: every connection has it.
///
/// A byte of flags, the time in seconds, the address, by what it comes back, the path.
#[derive(Debug, Clone, Default)]
pub(crate) struct About(Box<[u8]>);

const V4: u8 = 1;
const V6: u8 = 2;
const RESUMED: u8 = 4;
const SPEAKS_NARROWS: u8 = 8;
const COMES_BACK: u8 = 16;

impl About {
    /// How much of a path is kept, in bytes.
    const MAX_PATH: usize = 512;

    pub(crate) fn new(path: &str, address: Option<IpAddr>) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX).to_le_bytes();
        let path = &path.as_bytes()[..path.len().min(Self::MAX_PATH)];
        let bytes = match address {
            None => [&[0], &seconds[..], path].concat(),
            Some(IpAddr::V4(ip)) => [&[V4], &seconds[..], &ip.octets(), path].concat(),
            Some(IpAddr::V6(ip)) => [&[V6], &seconds[..], &ip.octets(), path].concat(),
        };
        Self(bytes.into())
    }

    /// Notes which protocol its client speaks, and whether it came back.
    pub(crate) fn speaking(mut self, speaks_narrows: bool, resumed: bool) -> Self {
        if let Some(flags) = self.0.first_mut() {
            *flags |= u8::from(resumed) * RESUMED;
            *flags |= u8::from(speaks_narrows) * SPEAKS_NARROWS;
        }
        self
    }

    /// Notes by what it can come back: its number, and which of the connections with that number it is.
    pub(crate) fn coming_back_as(self, (number, generation): (u128, u32)) -> Self {
        let Some((flags, rest)) = self.0.split_first().filter(|(flags, _)| *flags & COMES_BACK == 0) else {
            return self;
        };
        let (facts, path) = rest.split_at(self.address_end() - 1);
        let (number, generation) = (number.to_le_bytes(), generation.to_le_bytes());
        Self([&[flags | COMES_BACK], facts, &number, &generation, path].concat().into())
    }

    /// By what it can come back.
    pub(crate) fn comes_back_as(&self) -> Option<(u128, u32)> {
        let rest = self.0.get(self.address_end()..).filter(|_| self.flags() & COMES_BACK != 0)?;
        let (number, rest) = rest.split_first_chunk()?;
        Some((u128::from_le_bytes(*number), u32::from_le_bytes(*rest.first_chunk()?)))
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.flags() & RESUMED != 0
    }

    pub(crate) fn speaks_narrows(&self) -> bool {
        self.flags() & SPEAKS_NARROWS != 0
    }

    /// Since when it is here, to a second.
    pub(crate) fn since(&self) -> SystemTime {
        let seconds = self.0.get(1..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_secs(u32::from_le_bytes(seconds).into())
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        let rest = self.0.get(5..)?;
        match self.flags() & (V4 | V6) {
            V4 => Some(Ipv4Addr::from(*rest.first_chunk::<4>()?).into()),
            V6 => Some(Ipv6Addr::from(*rest.first_chunk::<16>()?).into()),
            _ => None,
        }
    }

    /// The bytes of its path, without the query.
    pub(crate) fn path(&self) -> &[u8] {
        let back = if self.flags() & COMES_BACK == 0 { 0 } else { 20 };
        self.0.get(self.address_end() + back..).unwrap_or_default()
    }

    /// The path as text; where it was cut amid a character, U+FFFD stands for that.
    pub(crate) fn path_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.path())
    }

    /// Where the address ends.
    fn address_end(&self) -> usize {
        match self.flags() & (V4 | V6) {
            V4 => 9,
            V6 => 21,
            _ => 5,
        }
    }

    fn flags(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out() {
        for address in [None, Some("192.0.2.1"), Some("2001:db8::1")] {
            let address = address.map(|ip| ip.parse().unwrap());
            let about = About::new("/ws/lobby/", address).speaking(true, false);
            assert_eq!((about.path(), about.address()), (&b"/ws/lobby/"[..], address));
            assert!(about.speaks_narrows() && !about.is_resumed());
            assert_eq!(about.comes_back_as(), None);
            let about = about.coming_back_as((u128::MAX - 7, 3)).coming_back_as((1, 1));
            assert_eq!((about.path(), about.address()), (&b"/ws/lobby/"[..], address));
            assert_eq!(about.comes_back_as(), Some((u128::MAX - 7, 3)));
            assert!(about.speaks_narrows() && !about.is_resumed());
            let age = SystemTime::now().duration_since(about.since()).unwrap();
            assert!(age < Duration::from_secs(5), "{age:?}");
        }
    }

    #[test]
    fn an_endless_path_is_cut_and_an_empty_one_is_empty() {
        let about = About::new(&format!("/x{}", "é".repeat(4000)), None);
        assert_eq!(about.path().len(), About::MAX_PATH);
        assert!(about.path_text().starts_with("/xéé"));
        let nothing = About::default();
        assert_eq!((nothing.path(), nothing.address(), nothing.is_resumed()), (&b""[..], None, false));
        assert_eq!(nothing.coming_back_as((1, 1)).comes_back_as(), None);
    }
}
