//! Sentinels make another server the master.

use narrows_redis::Kind;
use rig::Sentinels;

use crate::connections::sentinel_url;
use crate::nodes::{Node, fresh_group, on_both_layers};
use crate::sites::{recovered, two_sites};

on_both_layers! {
    a_master_that_is_killed,
    a_master_that_goes_on_as_if_it_were_one,
}

async fn a_master_that_is_killed(kind: Kind) {
    let Some(sentinels) = Sentinels::start() else { return };
    let (sites, mut clients) = two_sites(kind, &sentinel_url(&sentinels, "", "")).await;
    let old = sentinels.kill_master();
    for site in &sites {
        site.cannot_broadcast().await;
    }
    let new = sentinels.wait_for_failover();
    assert_ne!(new, old);
    recovered(&sites, &mut clients).await;
    // It comes back, as a replica, and harms nobody.
    let told = clients.each_ref().map(|client| client.gaps);
    sentinels.servers()[0].restart();
    rig::wait_until("the old master to follow the new one", || {
        sentinels.servers()[1].cli(&["INFO", "replication"]).contains("state=online")
    });
    crate::sites::talk(&sites, &mut clients).await;
    assert_eq!(clients.each_ref().map(|client| client.gaps), told);
}

/// The sentinels name another one while it answers still, and takes what it is given.
async fn a_master_that_goes_on_as_if_it_were_one(kind: Kind) {
    let Some(sentinels) = Sentinels::start() else { return };
    let url = sentinel_url(&sentinels, "", "");
    let (node, other, group) = (Node::at(kind, &url), Node::at(kind, &url), fresh_group());
    node.subscribe(&group).await.unwrap();
    other.publish(&group, 1).await.unwrap();
    node.hears(&group, 1).await;
    sentinels.fail_over();
    node.gaps_reach(1).await;
    // The other one may be on the old master for as long as it does not ask.
    crate::nodes::at_last("speaking on the new master", async || {
        other.publish(&group, 2).await.map_err(|error| error.to_string())?;
        let heard = node.numbers(&group).contains(&2);
        if heard { Ok(()) } else { Err("it was not heard".to_owned()) }
    })
    .await;
}
