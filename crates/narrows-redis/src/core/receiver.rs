use std::sync::Arc;
use std::time::Duration;

use narrows_core::{Gap, Skipped};
use redis::aio::ConnectionLike;
use redis::{FromRedisValue, Value};
use tokio::time::{Instant, sleep};

use super::locals::Found;
use super::{ALIVE, Shared, now};
use crate::backoff::Backoff;
use crate::connect::Connection;

/// So many messages are taken at once at the most.
const BATCH: usize = 128;

/// Beside the process's name, what a sender puts into a full channel in place of the messages that are missing.
const GAP: &[u8] = b"narrows:gap:";

/// Begins to receive, on each host, and to renew the memberships.
pub(super) fn start(shared: &Arc<Shared>) {
    for host in 0..shared.hosts.len() {
        let shared = shared.clone();
        shared.runtime.clone().spawn(async move { receive(&shared, host).await });
    }
    let shared = shared.clone();
    shared.runtime.clone().spawn(async move { renew(&shared).await });
}

async fn receive(shared: &Shared, host: usize) {
    let connector = &shared.hosts[host].connector;
    let (mut backoff, mut failed, mut was_up) = (Backoff::new(), false, false);
    loop {
        let connection = match connector.connect(|_| {}).await {
            Ok(connection) => connection,
            Err(error) => {
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(redis = %connector.host(), %error, "redis cannot be reached to receive");
                }
                backoff.pause().await;
                continue;
            }
        };
        let why = listen(shared, host, &connection, was_up).await;
        tracing::warn!(redis = %connector.host(), %why, "the link to redis for receiving is down");
        (was_up, failed) = (true, false);
        backoff.reset();
        backoff.pause().await;
    }
}

/// Takes messages until the link is gone.
async fn listen(shared: &Shared, host: usize, connection: &Connection, again: bool) -> String {
    let mut redis = connection.redis.clone();
    // A quiet channel answers after this, and so tells that the link is alive.
    let block = shared.options.health_interval.min(Duration::from_secs(5));
    redis.set_response_timeout(block + shared.options.answer_timeout);
    if again {
        if let Err(error) = rejoin(shared, host, &mut redis).await {
            return error.to_string();
        }
        lost(shared, host);
    }
    let mut said = None;
    loop {
        let mut pipeline = redis::pipe();
        let say = said.is_none_or(|said: Instant| said.elapsed() > ALIVE / 4);
        if say {
            pipeline.cmd("EXPIRE").arg(shared.alive_key()).arg(ALIVE.as_secs());
            pipeline.cmd("SET").arg(shared.alive_key()).arg(1).arg("EX").arg(ALIVE.as_secs());
        }
        pipeline.cmd("BZPOPMIN").arg(&shared.key).arg(block.as_secs_f64());
        pipeline.cmd("ZPOPMIN").arg(&shared.key).arg(BATCH - 1);
        let answers = tokio::select! {
            answers = pipeline.query_async::<Vec<Value>>(&mut redis) => answers,
            why = connection.closed() => return why,
        };
        let mut answers = match answers {
            Ok(answers) => answers,
            Err(error) => return error.to_string(),
        };
        if say {
            let expired = answers.first().is_some_and(|left| matches!(left, Value::Int(0)));
            answers.drain(..2);
            // Away for so long that the others may have taken this node for gone.
            if expired && said.is_some() {
                if let Err(error) = rejoin(shared, host, &mut redis).await {
                    return error.to_string();
                }
                lost(shared, host);
            }
            if let Err(why) = connection.still_master().await {
                return why;
            }
            said = Some(Instant::now());
        }
        let oldest = now() - shared.options.expiry.as_secs_f64();
        let mut expired = false;
        for (wire, score) in answers.into_iter().flat_map(popped) {
            if score < oldest {
                shared.inlet.skip(Skipped::Expired, &shared.key);
                expired = true;
            } else {
                take(shared, wire);
            }
        }
        if expired {
            lost(shared, host);
        }
    }
}

/// The members of an answer to `BZPOPMIN` (`[key, member, score]` or nil) or `ZPOPMIN` (pairs, or a flat list).
pub(super) fn popped(answer: Value) -> Vec<(Vec<u8>, f64)> {
    match answer {
        Value::Array(mut found) if found.len() == 3 && !matches!(found[0], Value::Array(_)) => {
            found.remove(0);
            <(Vec<u8>, f64)>::from_redis_value(Value::Array(found)).map(|one| vec![one]).unwrap_or_default()
        }
        Value::Nil => Vec::new(),
        pairs => Vec::from_redis_value(pairs).unwrap_or_default(),
    }
}

fn take(shared: &Shared, wire: Vec<u8>) {
    if wire.starts_with(GAP) {
        return shared.inlet.gap(None, Gap::Overflow);
    }
    let message = match shared.wire.open_addressed(wire, shared.max_age()) {
        Ok(message) => message,
        Err(why) => return shared.inlet.skip(why, &shared.key),
    };
    if message.to.is_empty() {
        return shared.inlet.skip(Skipped::Foreign, &shared.key);
    }
    for name in &message.to {
        match name.strip_prefix(&shared.process).map(|local| shared.locals.find(local)) {
            Some(Found::Topic(topic)) => shared.inlet.deliver(&topic, message.payload.clone()),
            Some(Found::Gone) => {}
            Some(Found::Foreign) | None => shared.inlet.skip(Skipped::Foreign, name),
        }
    }
}

fn lost(shared: &Shared, host: usize) {
    if shared.hosts.len() == 1 {
        if !shared.locals.is_empty() {
            shared.inlet.gap(None, Gap::Reconnected);
        }
        return;
    }
    for (group, _) in shared.locals.groups() {
        if shared.host_of(group.name()) == host {
            shared.inlet.gap(Some(&group), Gap::Reconnected);
        }
    }
}

/// Puts this node back into its groups on a host that may have forgotten them, and takes it out of those that it left
/// meanwhile.
async fn rejoin(shared: &Shared, host: usize, redis: &mut impl ConnectionLike) -> Result<(), redis::RedisError> {
    let mine = shared.locals.groups().into_iter().filter(|(group, _)| shared.host_of(group.name()) == host);
    for groups in mine.collect::<Vec<_>>().chunks(BATCH) {
        let mut pipeline = redis::pipe();
        for (group, local) in groups {
            for command in shared.membership(group.name(), local).cmd_iter() {
                pipeline.add_command(command.clone());
            }
        }
        pipeline.exec_async(redis).await?;
        // Left meanwhile: that call and this one crossed.
        for (group, local) in groups.iter().filter(|(group, local)| !shared.locals.is_in(group, local)) {
            shared.locals.owe(group, local.clone());
        }
    }
    let owed = shared.locals.owed(|group| shared.host_of(group.name()) == host);
    for owed in owed.chunks(BATCH) {
        let mut pipeline = redis::pipe();
        for (group, local) in owed {
            pipeline.add_command(shared.removal(group.name(), local));
        }
        if let Err(error) = pipeline.exec_async(redis).await {
            for (group, local) in owed {
                shared.locals.owe(group, local.clone());
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Renews the memberships, so that they last as long as the node does. Well within the time that they last, and
/// often enough that a Redis emptied by hand has them back soon.
async fn renew(shared: &Shared) {
    let period = (shared.options.group_expiry / 4).clamp(Duration::from_millis(50), Duration::from_secs(300));
    loop {
        sleep(period).await;
        for (number, host) in shared.hosts.iter().enumerate() {
            // While there is no link there is nothing to renew: it is done when the link is back.
            if let Ok((mut redis, _)) = host.link.connection().await
                && let Err(error) = rejoin(shared, number, &mut redis).await
            {
                tracing::warn!(redis = %host.connector.host(), %error, "memberships could not be renewed");
            }
        }
    }
}
