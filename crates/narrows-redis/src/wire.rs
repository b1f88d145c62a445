use std::time::Duration;
use bytes::Bytes;
use narrows_core::{PayloadFormat, Skipped};
use crate::keys::Keys;
#[derive(Debug)]
pub(crate) struct Wire { pub(crate) format: PayloadFormat, pub(crate) keys: Option<Keys>, pub(crate) random_prefix: usize, pub(crate) max_message_bytes: usize }
pub(crate) enum To<'a> { One(&'a str), List(&'a [&'a str]) }
pub(crate) struct Addressed { pub(crate) payload: Bytes, pub(crate) to: Vec<String> }
impl Wire {
    pub(crate) fn seal(&self, payload: Bytes) -> Bytes { payload }
    pub(crate) fn open(&self, wire: Vec<u8>) -> Result<Bytes, Skipped> { Ok(wire.into()) }
    pub(crate) fn seal_for(&self, payload: &[u8], to: Option<To<'_>>) -> Vec<u8> { 
        let names: Vec<&str> = match to { None => vec![], Some(To::One(a)) => vec![a], Some(To::List(l)) => l.to_vec() };
        let mut v = rand::random::<[u8;12]>().to_vec(); v.extend(names.join(",").bytes()); v.push(b'|'); v.extend(payload); v }
    pub(crate) fn open_addressed(&self, wire: Vec<u8>, _max_age: Duration) -> Result<Addressed, Skipped> {
        let w = &wire[12..]; let at = w.iter().position(|b| *b == b'|').ok_or(Skipped::Malformed)?;
        let to = String::from_utf8_lossy(&w[..at]).split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        Ok(Addressed { payload: Bytes::copy_from_slice(&w[at+1..]), to }) }
}
