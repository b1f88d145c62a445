//! Time for the hot path: a few milliseconds coarse, and several times cheaper than [`Instant`](std::time::Instant).

/// Milliseconds since a moment before this process began.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn coarse_millis() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::MonotonicCoarse);
    // Neither part of a monotonic clock is ever negative.
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Milliseconds since the first call; other systems have no coarse clock to ask.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn coarse_millis() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_millis() as u64
}
