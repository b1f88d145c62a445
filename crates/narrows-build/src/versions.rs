use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::references::references;

/// The version of each file: one for all that refer to each other, directly or over others.
pub(crate) fn versions(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let numbers: BTreeMap<&String, usize> = files.keys().zip(0..).collect();
    let mut parts = Parts((0..files.len()).collect());
    for (name, content) in files {
        for other in references(name, content, files) {
            parts.join(numbers[name], numbers[other]);
        }
    }
    let mut members: BTreeMap<usize, Vec<(&String, &Vec<u8>)>> = BTreeMap::new();
    for (name, content) in files {
        members.entry(parts.of(numbers[name])).or_default().push((name, content));
    }
    let mut versions = BTreeMap::new();
    for members in members.into_values() {
        let mut all = Sha256::new();
        for (name, content) in &members {
            // Digests of one length each: no content can look like the end of another.
            all.update(Sha256::digest(name.as_bytes()));
            all.update(Sha256::digest(content));
        }
        let version = short(&all.finalize());
        versions.extend(members.iter().map(|(name, _)| ((*name).clone(), version.clone())));
    }
    versions
}

/// Eight bytes in hex: enough to tell versions apart.
pub(crate) fn short(digest: &[u8]) -> String {
    let mut text = String::new();
    for byte in &digest[..8] {
        write!(text, "{byte:02x}").expect("writing to a String does not fail");
    }
    text
}

/// Disjoint sets, each with the number of one of its own as its name.
struct Parts(Vec<usize>);

impl Parts {
    fn of(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one] = other;
    }
}
