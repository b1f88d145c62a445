//! Who is in a group, for the layers that know: leases, leaves, diffs and rosters.

mod node;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use self::node::{Node, Reader, Room, key, keys};
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_name};
use crate::{Absence, ChannelLayer, PresenceDiff, Taken};

/// The lease of a node that does not die while a check runs.
const LONG: Duration = Duration::from_secs(60);

/// How often is asked for what is to come.
const POLL: Duration = Duration::from_millis(20);

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// Several connections of one key are one person.
    ///
    /// # Errors
    /// When a key joins or leaves more than once, or its metas are not those of its connections.
    pub async fn a_key_joins_with_its_first_connection_and_leaves_with_its_last(
        &self,
    ) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[0].track(&room, 1, "ada", json!({"on": "phone"})).await?;
        nodes[1].track(&room, 2, "ada", json!({"on": "desk"})).await?;
        let joined = nodes[2].changes(&room).await?;
        ensure(keys(&joined.joins) == ["ada"] && joined.joins["ada"].len() == 2, || {
            format!("two connections joined as {joined:?}")
        })?;
        ensure(joined.count == 1, || format!("one person is counted as {}", joined.count))?;
        nodes[0].untrack(&room, 1, Absence::Left).await?;
        let one_less = nodes[2].changes(&room).await?;
        let stays = one_less.updates.get("ada").is_some_and(|metas| *metas == [json!({"on": "desk"})]);
        ensure(stays && one_less.leaves.is_empty() && one_less.count == 1, || {
            format!("one connection of two left as {one_less:?}")
        })?;
        nodes[1].untrack(&room, 2, Absence::Left).await?;
        let left = nodes[0].changes(&room).await?;
        ensure(left.leaves == ["ada"] && left.updates.is_empty() && left.count == 0, || {
            format!("the last connection left as {left:?}")
        })?;
        ensure(left.version == joined.version + 2, || {
            format!("three diffs have the versions {} to {}", joined.version, left.version)
        })?;
        nodes[1].nothing(&room).await
    }

    /// Joins and leaves, leaves and joins, updates there and back are nothing; what remains is what it is.
    ///
    /// # Errors
    /// When a change is told that was none, or as another than it is.
    pub async fn what_cancels_out_between_two_takes_is_no_change(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (node, room) = (&nodes[0], Room::fresh());
        node.track(&room, 1, "passes", json!(1)).await?;
        node.untrack(&room, 1, Absence::Left).await?;
        nodes[1].nothing(&room).await?;
        for (connection, key) in [(2, "returns"), (3, "changes"), (4, "wavers"), (5, "repeats")] {
            node.track(&room, connection, key, json!(1)).await?;
        }
        node.track(&room, 6, "arrives", json!(1)).await?;
        node.track(&room, 6, "arrives", json!(2)).await?;
        let joined = nodes[1].changes(&room).await?;
        let all = ["arrives", "changes", "repeats", "returns", "wavers"];
        ensure(keys(&joined.joins) == all && joined.updates.is_empty(), || format!("joined: {joined:?}"))?;
        ensure(joined.joins["arrives"] == [json!(2)], || format!("a join and an update: {joined:?}"))?;
        node.untrack(&room, 2, Absence::Left).await?;
        node.track(&room, 12, "returns", json!(1)).await?;
        node.track(&room, 4, "wavers", json!(2)).await?;
        node.track(&room, 4, "wavers", json!(1)).await?;
        node.track(&room, 5, "repeats", json!(1)).await?;
        nodes[1].nothing(&room).await?;
        node.untrack(&room, 3, Absence::Left).await?;
        nodes[1].track(&room, 13, "changes", json!(2)).await?;
        let changed = nodes[2].changes(&room).await?;
        let updated = changed.updates.get("changes").is_some_and(|metas| *metas == [json!(2)]);
        ensure(updated && changed.updates.len() == 1 && changed.joins.is_empty(), || {
            format!("a leave and a join with another meta are {changed:?}")
        })?;
        ensure(changed.leaves.is_empty() && changed.count == 5, || format!("nobody left: {changed:?}"))
    }

    /// Who reads a roster between two takes, and then every diff, knows who is there.
    ///
    /// # Errors
    /// When a reader would keep somebody who is gone, or miss somebody who is there.
    pub async fn what_a_roster_showed_does_not_cancel_out(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (node, room) = (&nodes[0], Room::fresh());
        node.track(&room, 1, "stays", json!(1)).await?;
        nodes[1].changes(&room).await?;
        node.track(&room, 2, "passes", json!(1)).await?;
        node.untrack(&room, 1, Absence::Left).await?;
        let mut reader = Reader::new(nodes[2].page(&room, None, 10).await?);
        ensure(keys(&reader.people) == ["passes"], || format!("the roster has {:?}", reader.people))?;
        node.untrack(&room, 2, Absence::Left).await?;
        node.track(&room, 1, "stays", json!(1)).await?;
        reader.take_in(nodes[1].changes(&room).await?)?;
        ensure(keys(&reader.people) == ["stays"], || format!("a reader has {:?}", reader.people))
    }

    /// However many connections a key has, few of them are listed.
    ///
    /// # Errors
    /// When more metas are listed than allowed, or too few.
    pub async fn a_key_lists_a_bounded_number_of_metas(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (node, room, most) = (&nodes[0], Room::fresh(), PresenceDiff::<Value>::METAS);
        let connections = most as u128 + 5;
        for connection in 0..connections {
            node.track(&room, connection, "ada", json!({"n": connection as u64})).await?;
        }
        let joined = nodes[1].changes(&room).await?;
        let listed = joined.joins.get("ada").map_or(0, Vec::len);
        ensure(listed == most, || format!("a diff lists {listed} metas of {connections}"))?;
        let page = nodes[1].page(&room, None, 10).await?;
        let listed = page.people.get("ada").map_or(0, Vec::len);
        ensure(listed == most, || format!("a roster lists {listed} metas of {connections}"))?;
        for connection in 0..connections - 1 {
            node.untrack(&room, connection, Absence::Left).await?;
        }
        let fewer = nodes[1].changes(&room).await?;
        ensure(fewer.leaves.is_empty() && fewer.updates["ada"].len() == 1, || {
            format!("all connections but one left as {fewer:?}")
        })
    }

    /// However many change at once, a diff stays of a size, and says that there was more: that is for the next one.
    ///
    /// # Errors
    /// When a diff lists more than allowed, or hides that something is missing, or when the next ones do not have it.
    pub async fn a_diff_lists_a_bounded_number_of_keys(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (room, most) = (Room::fresh(), PresenceDiff::<Value>::CHANGES);
        nodes[0].track_many(&room, 0..most + 1).await?;
        let mut joined = nodes[1].changes(&room).await?;
        let listed = joined.joins.len() + joined.updates.len() + joined.leaves.len();
        ensure(joined.partial && listed <= most, || {
            format!("{} joins are a diff of {listed}, partial: {}", most + 1, joined.partial)
        })?;
        ensure(joined.count == most as u64 + 1, || format!("{} of {} are counted", joined.count, most + 1))?;
        let mut told = joined.joins.len();
        while joined.partial {
            joined = nodes[1].changes(&room).await?;
            told += joined.joins.len();
        }
        ensure(told == most + 1, || format!("of {} joins {told} were told", most + 1))?;
        nodes[0].untrack(&room, 0, Absence::Left).await?;
        let left = nodes[1].changes(&room).await?;
        ensure(!left.partial && left.leaves == [key(0)], || format!("one left as {left:?}"))
    }

    /// Every key that is there all the time is on one page, whatever comes and goes between the pages.
    ///
    /// # Errors
    /// When a key is missing, twice, or not in order.
    pub async fn a_roster_is_read_in_pages_while_keys_come_and_go(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (room, all) = (Room::fresh(), 250);
        nodes[0].track_many(&room, 0..all).await?;
        let (mut read, mut after, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let page = nodes[1].page(&room, after.as_deref(), 40).await?;
            let listed: Vec<_> = page.people.into_keys().collect();
            ensure(listed.len() <= 40, || format!("a page of 40 has {} keys", listed.len()))?;
            ensure(page.next.is_none() || page.next.as_ref() == listed.last(), || {
                format!("the page up to {:?} goes on after {:?}", listed.last(), page.next)
            })?;
            read.extend(listed);
            pages += 1;
            // One in front of what was read, the last that was read, and one at the very end.
            let passing = 10_000 + pages;
            nodes[2].track(&room, passing, "a", json!(0)).await?;
            if let Some(Ok(last)) = read.last().map(|last| last[1..].parse::<u128>()) {
                nodes[0].untrack(&room, last, Absence::Left).await?;
            }
            nodes[2].track(&room, 20_000 + pages, &format!("z{pages}"), json!(0)).await?;
            after = page.next;
            if after.is_none() || pages > all as u128 {
                break;
            }
        }
        ensure(read.is_sorted_by(|a, b| a < b), || format!("the keys came as {read:?}"))?;
        let missing: Vec<_> = (0..all).map(key).filter(|key| read.binary_search(key).is_err()).collect();
        ensure(missing.is_empty(), || format!("these are on no page: {missing:?}"))
    }

    /// When a node dies, one of those who ask gets its leaves, however many ask at once.
    ///
    /// # Errors
    /// When a leave comes twice, or not at all, or somebody leaves who lives.
    pub async fn the_connections_of_a_dead_node_leave_once(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(self.short_lease).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[0].track(&room, 1, "gone", json!(1)).await?;
        nodes[0].track(&room, 2, "both", json!(1)).await?;
        nodes[1].renew(LONG).await?;
        nodes[1].track(&room, 3, "both", json!(2)).await?;
        nodes[1].changes(&room).await?;
        let mut asking = JoinSet::new();
        for node in [nodes[1].clone(), nodes[2].clone(), nodes[1].clone(), nodes[2].clone()] {
            let (room, patience) = (room.clone(), self.patience);
            asking.spawn(async move { node.take_until(&room, 1, patience).await });
        }
        let mut taken = Vec::new();
        while let Some(asked) = asking.join_next().await {
            taken.extend(asked.expect("it does not panic")?);
        }
        let leaves: Vec<_> = taken.iter().flat_map(|changes| &changes.leaves).collect();
        ensure(leaves == ["gone"], || format!("who left with the node: {leaves:?}"))?;
        let both: Vec<_> = taken.iter().filter_map(|changes| changes.updates.get("both")).collect();
        ensure(both == [&[json!(2)]], || format!("who has a device elsewhere was updated as {both:?}"))?;
        let page = nodes[2].page(&room, None, 10).await?;
        ensure(keys(&page.people) == ["both"], || format!("the roster has {:?}", page.people))
    }

    /// Who renews is told when another node's lease ends, so that who was there leaves then, and not later.
    ///
    /// # Errors
    /// When it is not told, or of a lease that ends only after it renews again.
    pub async fn a_renewal_tells_when_another_lease_ends(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(LONG).await? else { return Ok(()) };
        let room = Room::fresh();
        // No other check has a node that is due within this.
        let soon = self.short_lease * 2;
        nodes[2].track(&room, 2, "stays", json!(1)).await?;
        nodes[0].renew(soon).await?;
        nodes[0].track(&room, 1, "goes", json!(1)).await?;
        let again = nodes[1].renew(LONG).await?.again;
        ensure(again.is_some_and(|again| again <= soon), || {
            format!("a lease ends in {soon:?}, and it says {again:?}")
        })?;
        let again = nodes[0].renew(soon).await?.again;
        ensure(again.is_none_or(|again| again < soon / 3), || {
            format!("it renews again in {:?}, and is told of {again:?}", soon / 3)
        })
    }

    /// A connection that came back elsewhere belongs there: what its old node says of it is late.
    ///
    /// # Errors
    /// When the old node takes it out, or its death does.
    pub async fn a_connection_that_another_node_tracks_stays_when_the_first_one_lets_go(
        &self,
    ) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(self.short_lease).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[1].renew(LONG).await?;
        for connection in [1, 2] {
            nodes[0].track(&room, connection, &key(connection as usize), json!(1)).await?;
        }
        nodes[1].changes(&room).await?;
        for connection in [1, 2] {
            nodes[1].track(&room, connection, &key(connection as usize), json!(1)).await?;
        }
        nodes[0].untrack(&room, 1, Absence::Left).await?;
        nodes[0].untrack(&room, 2, Absence::Away(Duration::ZERO)).await?;
        nodes[1].forget(&nodes[0], self.patience, self.short_lease).await?;
        nodes[1].nothing(&room).await?;
        let (count, _) = nodes[2].count(&room).await?;
        ensure(count == 2, || format!("{count} of 2 are there"))
    }

    /// A node that was late puts back what it had, but for what came back elsewhere.
    ///
    /// # Errors
    /// When it takes a connection from the node that has it, or does not put back one that nobody has.
    pub async fn a_node_puts_back_what_no_other_one_tracks(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(self.short_lease).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[1].renew(LONG).await?;
        for (connection, key) in [(1, "moved"), (2, "gone"), (3, "away")] {
            nodes[0].track(&room, connection, key, json!(1)).await?;
        }
        nodes[0].untrack(&room, 3, Absence::Away(LONG)).await?;
        nodes[1].track(&room, 1, "moved", json!(2)).await?;
        nodes[1].changes(&room).await?;
        nodes[1].forget(&nodes[0], self.patience, self.short_lease).await?;
        let left = nodes[1].changes(&room).await?;
        ensure(left.leaves == ["gone"], || format!("with the node left {left:?}"))?;
        nodes[0].renew(LONG).await?;
        for (connection, key, free) in [(1, "moved", false), (2, "gone", true), (3, "away", true)] {
            let had = nodes[0].retrack(&room, connection, key, json!(1)).await?;
            ensure(had == free, || format!("{key} was put back: {had}"))?;
        }
        ensure(nodes[0].retrack(&room, 2, "gone", json!(3)).await?, || "it has it, and may update".into())?;
        nodes[0].untrack(&room, 1, Absence::Left).await?;
        let back = nodes[1].changes(&room).await?;
        ensure(keys(&back.joins) == ["gone"] && back.joins["gone"] == [json!(3)], || format!("{back:?}"))?;
        ensure(back.updates.is_empty() && back.leaves.is_empty() && back.count == 3, || format!("{back:?}"))
    }

    /// A connection that is away is there for its time: it may come back to any node, and leaves when it does not.
    ///
    /// # Errors
    /// When it flickers, or stays.
    pub async fn a_connection_that_is_away_has_time_to_come_back(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(self.short_lease).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[1].renew(LONG).await?;
        nodes[0].track(&room, 1, "returns", json!(1)).await?;
        nodes[0].track(&room, 2, "fails", json!(1)).await?;
        nodes[1].changes(&room).await?;
        nodes[0].untrack(&room, 1, Absence::Away(LONG)).await?;
        nodes[0].untrack(&room, 2, Absence::Away(LONG)).await?;
        nodes[1].nothing(&room).await?;
        // Its node is forgotten meanwhile, as after a deploy.
        nodes[1].forget(&nodes[0], self.patience, self.short_lease).await?;
        nodes[1].nothing(&room).await?;
        nodes[1].track(&room, 1, "returns", json!(1)).await?;
        nodes[1].track(&room, 2, "fails", json!(1)).await?;
        nodes[1].nothing(&room).await?;
        nodes[1].untrack(&room, 2, Absence::Away(self.short_lease)).await?;
        let left = nodes[2].wait_for_changes(&room, self.patience).await?;
        ensure(left.leaves == ["fails"] && left.joins.is_empty(), || {
            format!("one did not return: {left:?}")
        })?;
        ensure(left.count == 1, || format!("{} are there, not 1", left.count))
    }

    /// A node that did not renew in time is told when it comes back, tracks anew, and is one of all again.
    ///
    /// # Errors
    /// When it is not told, or cannot come back.
    pub async fn a_node_that_was_taken_for_dead_is_told(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(self.short_lease).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[1].renew(LONG).await?;
        nodes[0].track(&room, 1, "frozen", json!(1)).await?;
        nodes[1].changes(&room).await?;
        let left = nodes[1].wait_for_changes(&room, self.patience).await?;
        ensure(left.leaves == ["frozen"], || format!("the node's lease was over: {left:?}"))?;
        let renewed = nodes[0].renew(LONG).await?;
        ensure(renewed.forgotten, || "a node that was taken for dead was not told".into())?;
        nodes[0].track(&room, 1, "frozen", json!(1)).await?;
        let joined = nodes[1].changes(&room).await?;
        ensure(keys(&joined.joins) == ["frozen"], || format!("it was tracked anew: {joined:?}"))?;
        let renewed = nodes[0].renew(LONG).await?;
        ensure(!renewed.forgotten, || "a node that lives was told that it does not".into())?;
        nodes[1].renew(LONG).await?;
        nodes[1].nothing(&room).await
    }

    /// What a node changed and did not take before it died is found by the others.
    ///
    /// # Errors
    /// When a change is lost.
    pub async fn changes_that_a_dead_node_did_not_take_are_found(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present_for(LONG).await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[0].track(&room, 1, "joined", json!(1)).await?;
        // Nothing is over but the patience of the one who asks.
        let deadline = Instant::now() + self.patience;
        while !nodes[1].renew(self.short_lease).await?.changed.iter().any(|group| *group == *room.0) {
            ensure(Instant::now() < deadline, || "changes that nobody took were not found".into())?;
            sleep(POLL).await;
        }
        let joined = nodes[1].changes(&room).await?;
        ensure(keys(&joined.joins) == ["joined"], || format!("what was found is {joined:?}"))
    }

    /// All nodes together take a group's changes once in a period.
    ///
    /// # Errors
    /// When they are given more often, or not after it.
    pub async fn changes_are_taken_once_in_a_period_by_one_node(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let room = Room::fresh();
        nodes[0].track(&room, 1, "first", json!(1)).await?;
        let first = nodes[1].take(&room, LONG).await?;
        ensure(matches!(first, Taken::Changes(_)), || format!("the first take of all is {first:?}"))?;
        nodes[0].track(&room, 2, "second", json!(1)).await?;
        for node in &nodes {
            let taken = node.take(&room, LONG).await?;
            let later = matches!(taken, Taken::Later(rest) if rest <= LONG && rest > Duration::ZERO);
            ensure(later, || format!("a second take in a period is {taken:?}"))?;
        }
        let Taken::Later(rest) = nodes[2].take(&room, LONG).await? else { return fail("taken in between") };
        ensure(rest > LONG / 2, || format!("a minute after a moment is in {rest:?}"))?;
        // A period that is over by now.
        let deadline = Instant::now() + self.patience;
        loop {
            match nodes[2].take(&room, self.short_lease).await? {
                Taken::Changes(second) => {
                    return ensure(keys(&second.joins) == ["second"], || format!("second: {second:?}"));
                }
                Taken::Later(rest) => sleep(rest).await,
                Taken::Nothing => return fail("a change was lost"),
            }
            ensure(Instant::now() < deadline, || "the period does not end".into())?;
        }
    }

    /// A group that was empty goes on with higher versions, so that nobody takes a new diff for an old one.
    ///
    /// # Errors
    /// When a version is not above the ones before.
    pub async fn versions_rise_over_an_empty_group(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (room, mut last) = (Room::fresh(), 0);
        for round in 0..5u128 {
            nodes[0].track(&room, round, "ada", json!(1)).await?;
            let joined = nodes[1].changes(&room).await?;
            let page = nodes[2].page(&room, None, 10).await?;
            let (count, version) = nodes[2].count(&room).await?;
            ensure(page.version == joined.version && version == joined.version && count == 1, || {
                format!("a diff of version {} left {page:?} and {count}, {version}", joined.version)
            })?;
            nodes[0].untrack(&room, round, Absence::Left).await?;
            let left = nodes[1].changes(&room).await?;
            ensure(joined.version > last && left.version > joined.version, || {
                format!("the versions {last}, {} and {} do not rise", joined.version, left.version)
            })?;
            last = left.version;
        }
        let (count, version) = nodes[1].count(&room).await?;
        ensure(count == 0 && version >= last, || format!("of nobody: {count}, version {version}"))
    }

    /// A large group, joined over all nodes at once, has everybody.
    ///
    /// # Errors
    /// When somebody is missing, on a roster or in the diffs.
    pub async fn a_large_group_is_complete(&self) -> Result<(), Failure> {
        let Some(nodes) = self.present().await? else { return Ok(()) };
        let (room, all) = (Room::fresh(), self.members);
        let each = all.div_ceil(NODES);
        let mut joining = JoinSet::new();
        for (node, n) in nodes.iter().cloned().zip(0..) {
            let room = room.clone();
            joining.spawn(async move { node.track_many(&room, n * each..all.min((n + 1) * each)).await });
        }
        let mut told = 0;
        let deadline = Instant::now() + self.patience * 6;
        while !joining.is_empty() {
            ensure(Instant::now() < deadline, || format!("{all} members do not come to an end"))?;
            if let Ok(Some(joined)) = timeout(POLL, joining.join_next()).await {
                joined.expect("it does not panic")?;
            }
            if let Taken::Changes(changes) = nodes[0].take(&room, Duration::ZERO).await? {
                told = changes.count;
            }
        }
        if let Taken::Changes(changes) = nodes[0].take(&room, Duration::ZERO).await? {
            told = changes.count;
        }
        ensure(told == all as u64, || format!("the last diff counts {told} of {all}"))?;
        let (mut read, mut after) = (0, None::<String>);
        loop {
            let page = nodes[1].page(&room, after.as_deref(), 1000).await?;
            ensure(page.count == all as u64, || format!("a page counts {} of {all}", page.count))?;
            ensure(page.people.iter().all(|(k, metas)| metas == &[json!({"key": k})]), || "metas".into())?;
            read += page.people.len();
            after = page.next;
            if after.is_none() || read > all {
                break;
            }
        }
        ensure(read == all, || format!("the roster has {read} of {all}"))
    }

    /// Nodes that live as long as a check; `None` where the layer does not know presence.
    async fn present(&self) -> Result<Option<Vec<Node>>, Failure> {
        self.present_for(LONG).await
    }

    /// The first node with a lease of its own; the others are known when they renew.
    async fn present_for(&self, lease: Duration) -> Result<Option<Vec<Node>>, Failure> {
        let layers = self.start().await;
        let stores: Option<Vec<_>> = layers.iter().map(|node| node.layer.presence()).collect();
        let Some(stores) = stores else { return Ok(None) };
        // A layer may need its nodes for its stores to live.
        let layers: Arc<dyn Send + Sync> = Arc::new(layers);
        let nodes = stores.into_iter().map(|store| Node {
            store,
            name: fresh_name().into(),
            patience: self.patience,
            _layers: layers.clone(),
        });
        let nodes: Vec<_> = nodes.collect();
        for node in &nodes[1..] {
            node.renew(LONG).await?;
        }
        nodes[0].renew(lease).await?;
        Ok(Some(nodes))
    }
}
