use redis::{Script, ScriptInvocation};

use crate::stores::Home;

/// The keys of one home: what stands there for each group, for each node, and once.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) home: Home,
    pub(super) leases: String,
    pub(super) calls: String,
    pub(super) dead: String,
    pub(super) changed: String,
    pub(super) waiting: String,
}

/// What stands there for a group, in the order in which the scripts have it.
const OF_GROUP: [&str; 7] = ["people", "names", "conns", "more", "away", "changes", "state"];

impl Place {
    pub(super) fn new(home: Home) -> Self {
        let key = |kind: &str| home.key(&format!("presence-{kind}"));
        Self {
            leases: key("leases"),
            calls: key("calls"),
            dead: key("dead"),
            changed: key("changed"),
            waiting: key("waiting"),
            home,
        }
    }

    pub(super) fn of_group(&self, kind: &str, group: &str) -> String {
        format!("{}:{group}", self.home.key(&format!("presence-{kind}")))
    }

    /// The groups in which a node has connections.
    pub(super) fn groups_of(&self, node: &str) -> String {
        format!("{}:{node}", self.home.key("presence-groups"))
    }

    /// A node's connections in a group.
    pub(super) fn conns_of(&self, node: &str, group: &str) -> String {
        format!("{}:{node}:{group}", self.home.key("presence-of"))
    }

    /// All that a group has while somebody is in it, but for what each node has.
    pub(super) fn all_of_group(&self, group: &str) -> impl Iterator<Item = String> {
        OF_GROUP.map(|kind| self.of_group(kind, group)).into_iter()
    }

    /// A call of a script that changes a group.
    pub(super) fn call<'a>(&self, script: &'a Script, group: &str) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for key in self.all_of_group(group) {
            call.key(key);
        }
        call.key(&self.changed).key(&self.waiting).arg(group);
        call
    }
}
