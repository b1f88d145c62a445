/// Which of several hosts keeps a name: the rule of channels_redis (`consistent_hash`), CRC-32 of the name's UTF-8.
///
/// The order of the hosts is part of the protocol: every process must list them alike.
pub(crate) fn shard_of(name: &str, hosts: usize) -> usize {
    if hosts < 2 {
        return 0;
    }
    let low = crc32fast::hash(name.as_bytes()) & 0xfff;
    // In floating point, as there: for many hosts its rounding is not that of integers.
    (f64::from(low) / (4096.0 / hosts as f64)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::vectors;

    #[test]
    fn names_are_on_the_hosts_where_channels_redis_puts_them() {
        let vectors = vectors();
        let mut compared = 0;
        for vector in vectors["shard_hash"].as_array().unwrap() {
            let name = vector["value"].as_str().unwrap();
            for (hosts, shard) in vector["shard"].as_object().unwrap() {
                assert_eq!(
                    shard_of(name, hosts.parse().unwrap()),
                    shard.as_u64().unwrap() as usize,
                    "{name}"
                );
                compared += 1;
            }
        }
        assert!(compared >= 80);
    }

    #[test]
    fn every_name_is_on_a_host_that_exists() {
        for hosts in 0..2000 {
            for name in ["", "b", "chat", "room-1"] {
                assert!(shard_of(name, hosts) < hosts.max(1));
            }
        }
    }
}
