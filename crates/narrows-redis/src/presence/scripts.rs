use std::sync::LazyLock;

use redis::Script;

/// A script that changes one group's presence: behind what those have in common.
macro_rules! of_group {
    ($file:literal) => {
        Script::new(concat!(include_str!("lua/group.lua"), include_str!($file)))
    };
}

pub(super) static CHANGE: LazyLock<Script> = LazyLock::new(|| of_group!("lua/change.lua"));
pub(super) static TAKE: LazyLock<Script> = LazyLock::new(|| of_group!("lua/take.lua"));
pub(super) static BURY: LazyLock<Script> = LazyLock::new(|| of_group!("lua/bury.lua"));
pub(super) static EXPIRE: LazyLock<Script> = LazyLock::new(|| of_group!("lua/expire.lua"));
pub(super) static ROSTER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/roster.lua")));
pub(super) static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/lease.lua")));
pub(super) static GRAVES: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/graves.lua")));
pub(super) static GROUPS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/groups.lua")));
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/touch.lua")));
