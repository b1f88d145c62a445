use std::sync::Arc;
use std::time::Duration;

use narrows_core::{Gap, Skipped};
use redis::aio::ConnectionLike;
use redis::{FromRedisValue, RedisError, Value};
use tokio::time::Instant;

use super::locals::Found;
use super::{ALIVE, Shared, memberships, now};
use crate::backoff::Backoff;
use crate::connect::Connection;
use crate::link::CallError;

/// So many messages are taken at once at the most.
pub(super) const BATCH: usize = 128;

/// Beside the process's name, what a sender puts into a full channel in place of the messages that are missing.
const GAP: &[u8] = b"narrows:gap:";

/// What stands in Redis while this node says that it lives.
const RECEIVES: &[u8] = b"receives";

/// Begins to receive, on each host, and to look after the memberships.
pub(super) fn start(shared: &Arc<Shared>) {
    for host in 0..shared.hosts.len() {
        let shared = shared.clone();
        shared.runtime.clone().spawn(async move { receive(&shared, host).await });
    }
    let shared = shared.clone();
    shared.runtime.clone().spawn(async move { memberships::look_after(&shared).await });
}

async fn receive(shared: &Shared, host: usize) {
    let connector = &shared.hosts[host].connector;
    let (mut backoff, mut failed, mut again) = (Backoff::new(), false, false);
    loop {
        match connector.connect(|_| {}).await {
            Ok(connection) => {
                failed = false;
                backoff.connected();
                let why = tokio::select! {
                    biased;
                    why = listen(shared, host, &connection, again) => why,
                    why = connection.gone() => why.to_string(),
                };
                if backoff.is_news() {
                    tracing::warn!(redis = %connector.host(), %why, "the link to redis for receiving is down");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(redis = %connector.host(), %error, "redis cannot be reached to receive");
                }
            }
        }
        // Also after a first attempt that failed: groups may have been joined meanwhile, and forgotten.
        again = true;
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
        if let Err(error) = memberships::renew(shared, host, &mut redis).await {
            return error.to_string();
        }
        lost(shared, host);
    }
    let mut said: Option<Instant> = None;
    loop {
        if said.is_none_or(|said| said.elapsed() > ALIVE / 4) {
            match say(shared, &mut redis).await {
                // Away for so long that the others may have taken this node for gone, or forgotten.
                Ok(false) if said.is_some() => {
                    if let Err(error) = memberships::renew(shared, host, &mut redis).await {
                        return error.to_string();
                    }
                    lost(shared, host);
                }
                Ok(_) => {}
                Err(error) => return error.to_string(),
            }
            said = Some(Instant::now());
        }
        let mut pop = redis::pipe();
        pop.cmd("BZPOPMIN").arg(&shared.key).arg(block.as_secs_f64());
        pop.cmd("ZPOPMIN").arg(&shared.key).arg(BATCH - 1);
        let answers = match ask_each(&mut redis, &pop).await {
            Ok(answers) => answers,
            Err(error) => return error.to_string(),
        };
        let oldest = now() - shared.options.expiry.as_secs_f64();
        let (mut expired, mut refused) = (false, None);
        for answer in answers {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    refused = Some(error);
                    continue;
                }
            };
            for (wire, score) in popped(answer) {
                if score < oldest {
                    shared.inlet.skip(Skipped::Expired, &shared.key);
                    expired = true;
                } else {
                    take(shared, wire);
                }
            }
        }
        if expired {
            lost(shared, host);
        }
        if let Some(error) = refused {
            return error.to_string();
        }
    }
}

/// Says that this node lives. `false` when it was not known to. Where it may not be said nothing else is to suffer:
/// only that this node is not noticed to be gone, or is taken for it.
async fn say(shared: &Shared, redis: &mut impl ConnectionLike) -> Result<bool, RedisError> {
    let mut say = redis::pipe();
    say.cmd("GET").arg(shared.alive_key());
    // Beside `SET`, as a Redis whose memory is full does this still.
    say.cmd("EXPIRE").arg(shared.alive_key()).arg(ALIVE.as_secs());
    say.cmd("SET").arg(shared.alive_key()).arg(RECEIVES).arg("EX").arg(ALIVE.as_secs());
    let answers = ask_each(redis, &say).await?;
    let was_known = match answers.first() {
        Some(Ok(Value::BulkString(word))) => word == RECEIVES,
        Some(Ok(_)) => false,
        // What may not be asked is not known to be otherwise.
        Some(Err(_)) | None => true,
    };
    for error in answers.into_iter().filter_map(Result::err) {
        if CallError::is_of_link(&error) {
            return Err(error);
        }
        tracing::debug!(%error, "redis does not take that this node lives");
    }
    Ok(was_known)
}

/// The answer to each of a pipeline's commands.
pub(super) async fn ask_each(
    redis: &mut impl ConnectionLike,
    pipeline: &redis::Pipeline,
) -> Result<Vec<Result<Value, RedisError>>, RedisError> {
    let answers = redis.req_packed_commands(pipeline, 0, pipeline.len()).await?;
    Ok(answers.into_iter().map(Value::extract_error).collect())
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
            Some(Found::Topic(topic)) => shared.inlet.deliver(&topic, message.payload.clone(), message.at),
            Some(Found::Gone) => {}
            Some(Found::Foreign) | None => shared.inlet.skip(Skipped::Foreign, name),
        }
    }
}

/// Tells of what may have been lost on a host.
fn lost(shared: &Shared, host: usize) {
    // Where Django processes send what is for this one's groups, whichever these are.
    if host == shared.host_of(&shared.process) {
        if !shared.locals.is_empty() {
            shared.inlet.gap(None, Gap::Reconnected);
        }
        return;
    }
    for topic in shared.locals.topics() {
        if shared.host_of(topic.name()) == host {
            shared.inlet.gap(Some(&topic), Gap::Reconnected);
        }
    }
}
