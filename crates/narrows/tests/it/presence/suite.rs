//! Each way in which a layer could break what presence promises is caught by a check of the suite.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use narrows::ChannelLayer;
use narrows::layer::MemoryLayer;
use narrows_core::conformance::Suite;
use narrows_core::{Absence, KeepPresence, Kept, PresenceEntry, PresenceStore, Renewed, RosterPage, Taken};

use crate::within::as_within;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    LosesLeaves,
    GivesChangesTwice,
    LetsNobodyDie,
    LetsAnybodyUntrack,
    TakesBackFromOthers,
    HasNoPeriod,
    WaitsForNobody,
    TellsNoNode,
    FindsNoChanges,
    SkipsTheLastOfAPage,
    CountsWrong,
    HasOneVersion,
    ListsAllAsJoins,
}

/// An in-memory layer whose presence has one fault.
struct Faulty {
    within: MemoryLayer,
    fault: Fault,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    nodes: Mutex<HashSet<String>>,
    last: Mutex<Option<narrows_core::Changes>>,
}

impl ChannelLayer for Faulty {
    as_within!(within: start subscribe unsubscribe publish new_channel);

    fn presence(&self) -> Option<PresenceStore> {
        let within = self.within.presence()?;
        Some(PresenceStore::new(Presence { within, fault: self.fault, shared: self.shared.clone() }))
    }
}

struct Presence {
    within: PresenceStore,
    fault: Fault,
    shared: Arc<Shared>,
}

impl KeepPresence for Presence {
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()> {
        self.within.track(group, node, entry)
    }

    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        if self.fault == Fault::TakesBackFromOthers {
            return Box::pin(async move { self.within.track(group, node, entry).await.map(|()| true) });
        }
        self.within.retrack(group, node, entry)
    }

    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()> {
        Box::pin(async move {
            let nodes = self.shared.nodes.lock().unwrap().clone();
            match self.fault {
                Fault::LosesLeaves if absence == Absence::Left => Ok(()),
                Fault::LetsAnybodyUntrack => {
                    for node in &nodes {
                        self.within.untrack(group, node, connection, absence).await?;
                    }
                    Ok(())
                }
                Fault::WaitsForNobody => self.within.untrack(group, node, connection, Absence::Left).await,
                _ => self.within.untrack(group, node, connection, absence).await,
            }
        })
    }

    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed> {
        self.shared.nodes.lock().unwrap().insert(node.to_owned());
        let endless = self.fault == Fault::LetsNobodyDie;
        let lease = if endless { Duration::from_secs(3600) } else { lease };
        Box::pin(async move {
            let mut renewed = self.within.renew(node, lease).await?;
            renewed.forgotten &= self.fault != Fault::TellsNoNode;
            if self.fault == Fault::FindsNoChanges {
                renewed.changed.clear();
            }
            Ok(renewed)
        })
    }

    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken> {
        let period = if self.fault == Fault::HasNoPeriod { Duration::ZERO } else { period };
        Box::pin(async move {
            let mut taken = self.within.take_changes(group, period).await?;
            let mut last = self.shared.last.lock().unwrap();
            match &mut taken {
                Taken::Changes(changes) => {
                    match self.fault {
                        Fault::HasOneVersion => changes.version = 7,
                        Fault::ListsAllAsJoins => changes.joins.append(&mut changes.updates),
                        _ => {}
                    }
                    *last = Some(changes.clone());
                }
                Taken::Nothing if self.fault == Fault::GivesChangesTwice => {
                    taken = last.take().map_or(Taken::Nothing, Taken::Changes);
                }
                _ => {}
            }
            Ok(taken)
        })
    }

    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage> {
        Box::pin(async move {
            let mut page = self.within.roster(group, after, limit).await?;
            if self.fault == Fault::SkipsTheLastOfAPage && page.next.is_some() {
                page.people.pop_last();
            }
            Ok(page)
        })
    }

    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)> {
        Box::pin(async move {
            let (count, version) = self.within.count(group).await?;
            Ok((count + u64::from(self.fault == Fault::CountsWrong), version))
        })
    }
}

fn suite(fault: Fault) -> Suite<impl AsyncFn(usize) -> Vec<Faulty>> {
    let nodes = async move |count: usize| {
        let (first, shared) = (MemoryLayer::new(), Arc::<Shared>::default());
        let layer = || Faulty { within: first.another_node(), fault, shared: shared.clone() };
        (0..count).map(|_| layer()).collect()
    };
    Suite::new(nodes).patience(Duration::from_secs(1)).members(2500)
}

/// That a fault fails this check, and that without it the check passes.
macro_rules! caught {
    ($($name:ident: $fault:ident by $check:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                suite(Fault::None).patience(Duration::from_secs(30)).$check().await.unwrap();
                suite(Fault::$fault).$check().await.unwrap_err();
            }
        )*
    };
}

caught! {
    a_lost_leave_is_caught: LosesLeaves by a_key_joins_with_its_first_connection_and_leaves_with_its_last;
    an_update_told_as_a_join_is_caught:
        ListsAllAsJoins by a_key_joins_with_its_first_connection_and_leaves_with_its_last;
    changes_given_twice_are_caught: GivesChangesTwice by a_connection_that_is_away_has_time_to_come_back;
    a_node_that_never_dies_is_caught: LetsNobodyDie by the_connections_of_a_dead_node_leave_once;
    a_late_untrack_that_counts_is_caught:
        LetsAnybodyUntrack by a_connection_that_another_node_tracks_stays_when_the_first_one_lets_go;
    a_node_that_takes_back_from_others_is_caught:
        TakesBackFromOthers by a_node_puts_back_what_no_other_one_tracks;
    diffs_without_a_period_are_caught: HasNoPeriod by changes_are_taken_once_in_a_period_by_one_node;
    a_store_that_waits_for_nobody_is_caught: WaitsForNobody by a_connection_that_is_away_has_time_to_come_back;
    a_node_that_is_not_told_is_caught: TellsNoNode by a_node_that_was_taken_for_dead_is_told;
    changes_that_nobody_finds_are_caught: FindsNoChanges by changes_that_a_dead_node_did_not_take_are_found;
    a_page_that_skips_one_is_caught: SkipsTheLastOfAPage by a_roster_is_read_in_pages_while_keys_come_and_go;
    a_large_roster_with_holes_is_caught: SkipsTheLastOfAPage by a_large_group_is_complete;
    a_wrong_count_is_caught: CountsWrong by versions_rise_over_an_empty_group;
    versions_that_stand_still_are_caught: HasOneVersion by versions_rise_over_an_empty_group;
}
