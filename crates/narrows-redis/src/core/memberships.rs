use std::sync::atomic::Ordering;
use std::time::Duration;

use narrows_core::{Gap, Topic};
use redis::aio::ConnectionLike;
use redis::{RedisError, Value};
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::receiver::{BATCH, ask_each};
use crate::link::CallError;

/// After so long what could not be done is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Renews the memberships, so that they last as long as the node does: well within the time that they last, and often
/// enough that a Redis emptied by hand has them back soon. Takes out those that it left while Redis was away.
pub(super) async fn look_after(shared: &Shared) {
    let period = (shared.options.group_expiry / 4).clamp(Duration::from_millis(50), Duration::from_secs(300));
    let (mut next, mut again) = (Instant::now() + period, None);
    loop {
        let due = again.map_or(next, |again: Instant| again.min(next));
        tokio::select! {
            () = sleep_until(due) => {}
            () = shared.locals.work.notified() => {
                again = again.or(Some(Instant::now() + AGAIN));
                continue;
            }
        }
        let is_time = next <= Instant::now() || shared.locals.take_overdue();
        for host in 0..shared.hosts.len() {
            look(shared, host, is_time).await;
        }
        if is_time {
            next = Instant::now() + period;
        }
        again = shared.locals.is_owing().then(|| Instant::now() + AGAIN);
    }
}

async fn look(shared: &Shared, host: usize, all: bool) {
    let (link, connector) = (&shared.hosts[host].link, &shared.hosts[host].connector);
    let Ok((mut redis, _)) = link.connection(link.deadline()).await else {
        if all {
            shared.locals.set_overdue();
        }
        return;
    };
    let looked = match all {
        true => renew(shared, host, &mut redis).await,
        false => pay(shared, host, &mut redis).await.map(|()| Vec::new()),
    };
    match looked {
        Ok(forgotten) => {
            for group in &forgotten {
                shared.inlet.gap(Some(group), Gap::Reconnected);
            }
        }
        Err(error) => {
            tracing::debug!(redis = %connector.host(), %error, "memberships could not be renewed");
            if all {
                shared.locals.set_overdue();
            }
        }
    }
}

/// Puts this node back into its groups on a host that may have forgotten them, and takes it out of those that it left
/// meanwhile. Gives the groups that Redis had forgotten. What it refuses for one group does not concern the others, and
/// is tried again soon.
pub(super) async fn renew(
    shared: &Shared,
    host: usize,
    redis: &mut impl ConnectionLike,
) -> Result<Vec<Topic>, RedisError> {
    let (mut forgotten, mut refused) = (Vec::new(), None);
    let mine = shared.locals.groups().into_iter().filter(|(group, _)| shared.host_of(group.name()) == host);
    for groups in mine.collect::<Vec<_>>().chunks(BATCH) {
        let mut pipeline = redis::pipe();
        for (group, local) in groups {
            for command in shared.membership(group.name(), local).cmd_iter() {
                pipeline.add_command(command.clone());
            }
        }
        let answers = ask_each(redis, &pipeline).await?;
        for ((group, local), answers) in groups.iter().zip(answers.chunks(2)) {
            // Left meanwhile: that call and this one crossed.
            if !shared.locals.is_in(group, local) {
                shared.locals.owe(group, local.clone());
            } else if let Some(Ok(Value::Int(1))) = answers.first() {
                forgotten.push(group.clone());
            }
        }
        for error in answers.into_iter().filter_map(Result::err) {
            if CallError::is_of_link(&error) {
                return Err(error);
            }
            refused = Some(error);
        }
    }
    match refused {
        Some(error) => {
            shared.locals.set_overdue();
            if !shared.hosts[host].refused.swap(true, Ordering::Relaxed) {
                let redis = shared.hosts[host].connector.host();
                tracing::warn!(%redis, %error, "redis refuses memberships; they are tried again until it takes them");
            }
        }
        None => shared.hosts[host].refused.store(false, Ordering::Relaxed),
    }
    pay(shared, host, redis).await?;
    Ok(forgotten)
}

/// Takes this node out of the groups that it left while Redis was away.
async fn pay(shared: &Shared, host: usize, redis: &mut impl ConnectionLike) -> Result<(), RedisError> {
    let owed = shared.locals.owed(|group| shared.host_of(group.name()) == host);
    for owed in owed.chunks(BATCH) {
        let mut pipeline = redis::pipe();
        for (group, local) in owed {
            pipeline.add_command(shared.removal(group.name(), local));
        }
        // One that is refused would be so again.
        ask_each(redis, &pipeline).await?;
        shared.locals.paid(owed);
    }
    Ok(())
}
