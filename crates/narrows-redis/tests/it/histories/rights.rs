//! What an ACL user must be allowed for histories: what docs/deploying.md lists suffices, and each of it is needed.

use narrows_core::{HistoryRange, LayerError, Position};
use narrows_redis::Kind;
use rig::Redis;

use super::{Keeper, RIGHTS, keys_of};
use crate::nodes::{fresh_group, on_both_layers};
use crate::rights::{denied, of_layer};

on_both_layers! {
    the_rights_listed_suffice,
    each_right_listed_is_needed,
}

fn rules(kind: Kind, without: &str) -> String {
    let all = RIGHTS.iter().chain(of_layer(kind)).filter(|right| **right != without);
    all.fold("~asgi* &asgi*".to_owned(), |rules, right| format!("{rules} +{right}"))
}

fn user_without(right: &str) -> String {
    format!("without-{}", right.replace('|', "-"))
}

async fn the_rights_listed_suffice(kind: Kind) {
    let Some(redis) = Redis::options().acl_user("narrows", "secret", &rules(kind, "")).start() else {
        return;
    };
    for answer in do_all(kind, &redis, "narrows").await {
        answer.unwrap();
    }
    assert!(denied(&redis, "narrows").is_empty(), "{:?}", denied(&redis, "narrows"));
}

async fn each_right_listed_is_needed(kind: Kind) {
    let users = RIGHTS.iter().fold(Redis::options(), |options, right| {
        options.acl_user(&user_without(right), "secret", &rules(kind, right))
    });
    let Some(redis) = users.start() else { return };
    for right in RIGHTS {
        let user = user_without(right);
        for answer in do_all(kind, &redis, &user).await {
            assert!(matches!(answer, Ok(()) | Err(LayerError::Refused(_))), "without {right}: {answer:?}");
        }
        assert_eq!(denied(&redis, &user).into_iter().collect::<Vec<_>>(), [*right]);
    }
}

/// Does all that there is to histories.
async fn do_all(kind: Kind, redis: &Redis, user: &str) -> Vec<Result<(), LayerError>> {
    redis.cli(&["SCRIPT", "FLUSH"]);
    let (node, group) = (Keeper::at(kind, &redis.url_as(user, "secret")), fresh_group());
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(node.try_publish(&group, 1).await.map(drop));
        let position = Position { epoch: 1, offset: 0 };
        answers.push(node.try_read(&group, HistoryRange::after(position, 9)).await.map(drop));
        let newest = node.try_read(&group, HistoryRange::newest(9)).await;
        if let Ok(page) = &newest {
            let all = HistoryRange::after(Position { offset: 0, ..page.top }, 9);
            answers.push(node.try_read(&group, all).await.map(drop));
        }
        answers.push(newest.map(drop));
        // Messages without a position are deleted.
        let [position, stream] = keys_of(kind, &group);
        redis.cli(&["DEL", &position]);
        redis.cli(&["XADD", &stream, "*", "a", "b"]);
    }
    answers
}
