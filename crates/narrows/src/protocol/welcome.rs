use std::time::Duration;

use super::Control;
use crate::connection::Link;
use crate::limits::Limits;
use crate::resume::longest_heartbeat;

/// The random part of this is what clients wait after a drain: it goes from one to the next anyway.
const RETRY: Duration = Duration::from_secs(1);
/// Where the server itself does not ping.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Puts the welcome before all that waits for the client: it is the first frame, whatever `connect` sent.
pub(crate) fn welcome(link: &Link, resumed: bool, token: Option<String>) {
    let window = link.channels.resumption().window();
    let welcome = Control::Welcome {
        resumed,
        heartbeat: millis(heartbeat(&link.settings.limits).min(longest_heartbeat(window))),
        retry: millis(RETRY),
        window: millis(window),
        token,
    };
    let frame = welcome.frame(link.settings.codec).expect("a welcome holds numbers and a text");
    link.shard.local(|state| state.send_first(link.key, frame));
}

/// Clients that speak so often need none of the server's own pings.
fn heartbeat(limits: &Limits) -> Duration {
    if limits.ping_interval.is_zero() { HEARTBEAT } else { limits.ping_interval * 3 / 5 }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
