use std::thread;
use std::time::{Duration, Instant};

/// How long anything here is waited for before a test is given up; generous, as CI machines are slow at times.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at what cannot be awaited.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until something holds that can only be asked for, such as what Redis says of its clients.
///
/// ```
/// let mut looks = 0;
/// rig::wait_until("the third look", || { looks += 1; looks == 3 });
/// ```
///
/// # Panics
///
/// When it does not hold within [`PATIENCE`].
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    assert!(holds_within(PATIENCE, &mut holds), "{what}: not within {PATIENCE:?}");
}

/// Whether it came to hold within this time.
pub(crate) fn holds_within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(PAUSE);
    }
}
