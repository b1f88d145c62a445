use super::error::BenchError;
use super::usage::Server;

/// What a process needs besides its connections: its own files, a listener, an epoll for each thread.
const SPARE: u64 = 64;

/// Makes sure that this process and the server can hold so many connections, as far as can be known.
pub(super) fn allow(connections: usize, server: Option<&Server>) -> Result<(), BenchError> {
    let needed = (connections as u64).saturating_add(SPARE);
    let (soft, hard) = rlimit::Resource::NOFILE.get()?;
    if soft < needed {
        // The soft limit is ours to raise, up to the hard one.
        rlimit::increase_nofile_limit(needed)?;
    }
    check("this process", hard.max(soft), connections, needed)?;
    let Some(server) = server else { return Ok(()) };
    check("the server", server.descriptors()?, connections, needed)
}

fn check(who: &str, limit: u64, connections: usize, needed: u64) -> Result<(), BenchError> {
    if limit < needed {
        return Err(BenchError::Descriptors { who: who.to_owned(), limit, connections, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_named_with_what_is_needed() {
        let said = check("the server", 1024, 10_000, 10_064).unwrap_err().to_string();
        assert!(said.contains("the server may open 1024") && said.contains("ulimit -Hn 10064"), "{said}");
        assert!(check("the server", 10_064, 10_000, 10_064).is_ok());
    }
}
