//! What one node says of its connections.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use narrows::live::{ConnectionId, LiveFilter, LivePage};
use narrows::testing::TestClient;
use narrows::{Channels, Codec, Group, Identity};
use sha2::{Digest, Sha256};

use crate::identities::kit::identity;
use crate::site::{Ask, Site, ask_echo, said};

pub(super) async fn list(channels: &Channels, filter: LiveFilter) -> LivePage {
    channels.live().connections(&filter).await.expect("the shards are there")
}

/// Waits until so many are listed: a client knows of its acceptance a moment before its shard does.
pub(super) async fn listed(channels: &Channels, count: usize) -> LivePage {
    let filter = LiveFilter::new().limit(LiveFilter::MAX_LIMIT);
    let listed = async {
        loop {
            let page = list(channels, filter.clone()).await;
            if page.connections.len() == count {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), listed).await.expect("the connections are listed")
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_listed_with_all_that_is_known_of_it() {
    let site = Site::with(|node| node, |bots| bots.codec(Codec::MsgPack));
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let request = site.server.connect_request("/ws/lobby?token=secret").client((address, 5000).into());
    let _ada = request.extension(identity("ada's key", "42")).codec(Codec::MsgPack).connect().await;
    let page = listed(&site.channels, 1).await;
    let ada = &page.connections[0];
    assert!(ada.consumer.ends_with("site::Bot"), "{}", ada.consumer);
    assert_eq!((ada.path.as_str(), ada.address), ("/ws/lobby", Some(address)));
    let digest: String = Sha256::digest("ada's key").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((ada.user.as_deref(), ada.session.as_deref()), (Some("42"), Some(digest.as_str())));
    assert_eq!((ada.groups.as_slice(), ada.group_count), (&["room.lobby".to_owned()][..], 1));
    assert_eq!((ada.queued_bytes, ada.queued_messages, ada.codec), (0, 0, Codec::MsgPack));
    assert!(!ada.speaks_narrows && !ada.is_resumed);
    assert!(SystemTime::now().duration_since(ada.since).unwrap() < Duration::from_secs(60));
    assert_eq!((page.nodes.answered, page.nodes.silent, page.nodes.reached), (1, 0, true));
}

#[tokio::test(start_paused = true)]
async fn what_a_page_says_can_be_written_as_json_without_the_sessions_key() {
    let site = Site::new();
    let _ada = site.connect_as("very-secret", "42").await;
    let page = listed(&site.channels, 1).await;
    let json = serde_json::to_string(&page).unwrap();
    assert!(json.contains(&page.connections[0].id.to_string()) && !json.contains("very-secret"), "{json}");
}

#[tokio::test(start_paused = true)]
async fn filters_find_the_connections_of_a_user_a_path_and_a_group_alone() {
    let site = Site::new();
    let _ada = [site.connect_as("a", "1").await, site.connect_as("b", "1").await];
    let _bob = site.connect_as("c", "11").await;
    let _watcher = site.server.connect("/watch/lobby").await;
    let _kitchen = site.server.connect("/ws/kitchen").await;
    listed(&site.channels, 5).await;
    let count = async |filter| list(&site.channels, filter).await.connections.len();
    assert_eq!(count(LiveFilter::new().user("1")).await, 2);
    assert_eq!(count(LiveFilter::new().user("2")).await, 0);
    assert_eq!(count(LiveFilter::new().path("/ws/")).await, 4);
    assert_eq!(count(LiveFilter::new().path("/watch/lobby")).await, 1);
    assert_eq!(count(LiveFilter::new().group("room.lobby")).await, 4);
    assert_eq!(count(LiveFilter::new().group("room.kitchen").path("/ws/")).await, 1);
    assert_eq!(count(LiveFilter::new().group("room.kitchen").user("1")).await, 0);
    assert_eq!(count(LiveFilter::new().group("no such group, nor a name")).await, 0);
}

#[tokio::test]
async fn pages_hold_each_connection_of_all_shards_once_and_in_order() {
    let channels = Channels::builder().shards(3).build();
    let (app, _ends) = crate::site::app(&channels, |bots| bots);
    let server = narrows::testing::TestServer::new(app);
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(server.connect("/ws/lobby").await);
    }
    let all: Vec<_> = listed(&channels, 50).await.connections.iter().map(|one| one.id).collect();
    let (mut paged, mut filter) = (Vec::new(), LiveFilter::new().limit(7));
    let mut pages = 0;
    loop {
        let page = list(&channels, filter.clone()).await;
        pages += 1;
        assert!(page.connections.len() == 7 || page.next.is_none());
        paged.extend(page.connections.iter().map(|one| one.id));
        match page.next {
            Some(next) => filter = LiveFilter::new().limit(7).after(next),
            None => break,
        }
    }
    assert_eq!((pages, &paged), (8, &all));
    assert_eq!(paged.iter().collect::<BTreeSet<_>>().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_bounded_however_many_are_asked_for() {
    let site = Site::new();
    let mut clients = Vec::new();
    for _ in 0..LiveFilter::MAX_LIMIT + 5 {
        clients.push(site.connect().await);
    }
    let page = list(&site.channels, LiveFilter::new().limit(usize::MAX)).await;
    assert_eq!(page.connections.len(), LiveFilter::MAX_LIMIT);
    let rest = list(&site.channels, LiveFilter::new().after(page.next.unwrap())).await;
    assert_eq!((rest.connections.len(), rest.next), (5, None));
    assert_eq!(list(&site.channels, LiveFilter::new().limit(0)).await.connections.len(), 1);
    for (limit, length) in [(0, 1), (usize::MAX, LiveFilter::MAX_LIMIT)] {
        let filter = serde_json::from_value(serde_json::json!({ "limit": limit })).unwrap();
        let page = list(&site.channels, filter).await;
        assert_eq!(
            (page.connections.len(), page.next.is_some()),
            (length, true),
            "read from somewhere: {limit}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_came_late_to_an_identity_is_listed_with_it_and_who_is_gone_is_not_listed() {
    let site = Site::new();
    let first = site.server.connect("/ws/lobby").await;
    let _second = site.connect_as("b", "2").await;
    listed(&site.channels, 2).await;
    first.abort();
    let page = listed(&site.channels, 1).await;
    assert_eq!(page.connections[0].user.as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_client_that_does_not_read_is_counted() {
    let site = Site::new();
    let mut slow = site.server.connect_request("/ws/lobby").pipe_bytes(1024).connect().await;
    slow.stop_reading();
    slow.send(&Ask::Send { count: 10, bytes: 1000 }).await;
    let queued = async {
        loop {
            let page = list(&site.channels, LiveFilter::new()).await;
            if page.connections[0].queued_messages >= 8 {
                return page.connections[0].queued_bytes;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let bytes = tokio::time::timeout(Duration::from_secs(60), queued).await.expect("they wait");
    assert!((8000..11_000).contains(&bytes), "{bytes}");
    assert_eq!(site.channels.live().totals().await.unwrap().queued_bytes, bytes as u64);
}

#[tokio::test(start_paused = true)]
async fn totals_count_by_consumer_and_groups_are_sorted_by_members() {
    let site = Site::new();
    let mut clients: Vec<TestClient> = Vec::new();
    for path in ["/ws/lobby", "/ws/lobby", "/watch/lobby", "/ws/kitchen", "/ws/attic", "/ws/attic"] {
        clients.push(site.server.connect(path).await);
    }
    let _ada = site.server.connect_request("/ws/lobby").extension(Identity::new().with_user("1"));
    listed(&site.channels, 6).await;
    let totals = site.channels.live().totals().await.unwrap();
    assert_eq!((totals.connections, totals.by_node.len(), totals.nodes.answered), (6, 1, 1));
    let counts: Vec<_> = totals.consumers.iter().map(|one| one.connections).collect();
    assert_eq!(counts, [5, 1], "{totals:?}");
    let groups = site.channels.live().groups("room.", 2).await.unwrap();
    let named: Vec<_> = groups.groups.iter().map(|group| (group.name.as_str(), group.members)).collect();
    assert_eq!((named.as_slice(), groups.count), (&[("room.lobby", 3), ("room.attic", 2)][..], 3));
    assert_eq!(site.channels.live().groups("none.", 2).await.unwrap().groups, []);
}

#[tokio::test(start_paused = true)]
async fn groups_that_only_the_node_itself_is_in_are_not_listed() {
    let site = Site::new();
    let _ada = site.connect_as("a", "1").await;
    listed(&site.channels, 1).await;
    let groups = site.channels.live().groups("", 100).await.unwrap().groups;
    let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["room.lobby"], "not the topics of the node's own");
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_groups_are_counted_and_the_largest_named() {
    let site = Site::new();
    let mut clients = Vec::new();
    for n in 0..400 {
        clients.push(site.server.connect(&format!("/ws/r{n:03}")).await);
    }
    clients.push(site.server.connect("/ws/r200").await);
    listed_count(&site.channels, 401).await;
    let groups = site.channels.live().groups("room.", 10_000).await.unwrap();
    assert_eq!((groups.count, groups.groups.len()), (400, 250));
    assert_eq!((groups.groups[0].name.as_str(), groups.groups[0].members), ("room.r200", 2));
    assert_eq!(groups.groups[1].name, "room.r000", "those with as many members are in the order of names");
}

/// Waits until so many are counted.
async fn listed_count(channels: &Channels, count: u64) {
    while channels.live().totals().await.unwrap().connections < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shard_goes_on_with_its_work_while_it_is_looked_through() {
    let site = Site::new();
    let mut clients = Vec::new();
    for _ in 0..3000 {
        clients.push(site.connect().await);
    }
    let live = site.channels.live();
    // Nobody has this group; every connection is looked at.
    let all = tokio::spawn(async move { live.connections(&LiveFilter::new().path("/none")).await });
    site.channels.broadcast(&Group::keyed("room", "lobby").unwrap(), &said("meanwhile")).await.unwrap();
    for client in &mut clients {
        client.expect(&said("meanwhile")).await;
    }
    assert_eq!(all.await.unwrap().unwrap().connections, []);
}

#[tokio::test(start_paused = true)]
async fn one_connection_is_found_by_its_id_while_it_is_open() {
    let site = Site::new();
    let mut ada = site.connect_as("a", "1").await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    let live = site.channels.live();
    assert_eq!(live.connection(id).await.unwrap().unwrap().user.as_deref(), Some("1"));
    let id: ConnectionId = id.to_string().parse().unwrap();
    assert_eq!(live.connection(id).await.unwrap().unwrap().id, id);
    ada.send(&ask_echo("here")).await;
    ada.expect(&said("here")).await;
    ada.close(1000, "").await;
    listed(&site.channels, 0).await;
    assert_eq!(live.connection(id).await.unwrap(), None);
}
