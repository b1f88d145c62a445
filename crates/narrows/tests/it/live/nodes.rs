//! Several nodes on one layer.

use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::live::{LiveError, LiveFilter};
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::testing::FaultyLayer;
use narrows::{ChannelLayer, Channels, ChannelsBuilder};
use serde_json::json;

use super::listing::{list, listed};
use crate::gated_layer::GatedLayer;
use crate::site::{Site, ask_echo, said};

/// Nodes on one layer that all answer.
pub(super) fn sites(count: usize) -> Vec<Site> {
    let layer = MemoryLayer::new();
    (0..count).map(|_| site(&layer)).collect()
}

fn site(layer: &MemoryLayer) -> Site {
    let site = Site::with(|node: ChannelsBuilder| node.layer(layer.another_node()), |bots| bots);
    site.channels.live();
    site
}

#[tokio::test(start_paused = true)]
async fn a_page_is_of_all_nodes_and_says_how_many_answered() {
    let sites = sites(3);
    let mut clients = Vec::new();
    for n in 0..30 {
        clients.push(sites[n % 3].connect_as(&n.to_string(), &(n % 2).to_string()).await);
    }
    let page = listed(&sites[1].channels, 30).await;
    assert_eq!((page.nodes.answered, page.nodes.silent), (3, 0));
    let (mut paged, mut filter) = (Vec::new(), LiveFilter::new().limit(4).user("1"));
    loop {
        let page = list(&sites[2].channels, filter.clone()).await;
        paged.extend(page.connections.iter().map(|one| one.id));
        let Some(next) = page.next else { break };
        filter = filter.after(next);
    }
    let all = page.connections.iter().filter(|one| one.user.as_deref() == Some("1"));
    assert!(paged.iter().eq(all.map(|one| &one.id)) && paged.len() == 15);
}

#[tokio::test(start_paused = true)]
async fn totals_and_groups_add_up_over_nodes() {
    let sites = sites(2);
    let _here = [sites[0].connect().await, sites[0].server.connect("/ws/attic").await];
    let _there = [sites[1].connect().await, sites[1].server.connect("/watch/lobby").await];
    listed(&sites[0].channels, 4).await;
    let totals = sites[0].channels.live().totals().await.unwrap();
    assert_eq!((totals.connections, totals.by_node.len(), totals.nodes.answered), (4, 2, 2));
    assert_eq!(totals.by_node.iter().map(|node| node.connections).collect::<Vec<_>>(), [2, 2]);
    let groups = sites[1].channels.live().groups("room.", 10).await.unwrap().groups;
    let named: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.members)).collect();
    assert_eq!(named, [("room.lobby", 3), ("room.attic", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_another_node_is_found_told_and_ended_by_its_id() {
    let mut sites = sites(2);
    let (mut ada, mut bob) = (sites[1].connect_as("a", "1").await, sites[1].connect_as("b", "2").await);
    listed(&sites[0].channels, 2).await;
    let live = sites[0].channels.live();
    let id = list(&sites[0].channels, LiveFilter::new().user("1")).await.connections[0].id;
    assert_eq!(live.connection(id).await.unwrap().unwrap().user.as_deref(), Some("1"));
    assert!(live.send(id, &json!({"type": "said", "text": "soon"})).await.unwrap());
    ada.expect(&said("soon")).await;
    assert!(live.end(id, "from afar").await.unwrap());
    assert_eq!(ada.expect_close(4403).await, "from afar");
    sites[1].end().await;
    assert!(!live.end(id, "again").await.unwrap() && live.connection(id).await.unwrap().is_none());
    bob.send(&ask_echo("here")).await;
    bob.expect(&said("here")).await;
}

#[tokio::test(start_paused = true)]
async fn once_all_are_known_nobody_waits_for_more() {
    let sites = sites(2);
    let _clients = [sites[0].connect().await, sites[1].connect().await];
    listed(&sites[0].channels, 2).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let start = tokio::time::Instant::now();
    assert_eq!(list(&sites[0].channels, LiveFilter::new()).await.nodes.answered, 2);
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_is_silent_for_a_while_and_then_forgotten() {
    let layer = MemoryLayer::new();
    let here = site(&layer);
    let faulty = FaultyLayer::new(layer.another_node());
    let faults = faulty.faults();
    let there = Site::with(|node| node.layer(faulty), |bots| bots);
    there.channels.live();
    let _clients = [here.connect().await, there.connect_as("a", "1").await];
    let page = listed(&here.channels, 2).await;
    let id = page.connections.iter().find(|one| one.user.is_some()).unwrap().id;
    faults.drop_if(|_, _| true);
    let page = list(&here.channels, LiveFilter::new()).await;
    assert_eq!((page.connections.len(), page.nodes.answered, page.nodes.silent), (1, 1, 1));
    assert!(matches!(here.channels.live().end(id, "").await, Err(LiveError::NoAnswer)));
    tokio::time::sleep(Duration::from_secs(61)).await;
    list(&here.channels, LiveFilter::new()).await;
    assert_eq!(list(&here.channels, LiveFilter::new()).await.nodes.silent, 0);
    faults.heal();
    assert_eq!(list(&there.channels, LiveFilter::new()).await.nodes.answered, 2);
    assert_eq!(list(&here.channels, LiveFilter::new()).await.nodes.answered, 2, "it is known again");
}

#[tokio::test(start_paused = true)]
async fn where_the_layer_is_away_a_node_speaks_for_itself() {
    let faulty = FaultyLayer::new(MemoryLayer::new());
    let faults = faulty.faults();
    let site = Site::with(|node| node.layer(faulty), |bots| bots);
    site.channels.live();
    let _ada = site.connect().await;
    let page = listed(&site.channels, 1).await;
    assert!(page.nodes.reached);
    faults.disconnect();
    let page = list(&site.channels, LiveFilter::new()).await;
    assert_eq!((page.connections.len(), page.nodes.answered, page.nodes.reached), (1, 1, false));
    assert!(site.channels.live().end(page.connections[0].id, "").await.unwrap(), "it is on this node");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_could_not_listen_at_first_listens_when_the_layer_is_back() {
    let layer = MemoryLayer::new();
    let faulty = FaultyLayer::new(layer.another_node());
    let faults = faulty.faults();
    faults.disconnect();
    let late = Site::with(|node| node.layer(faulty), |bots| bots);
    late.channels.live();
    assert!(!list(&late.channels, LiveFilter::new()).await.nodes.reached);
    faults.reconnect();
    let here = site(&layer);
    let _ada = late.connect().await;
    listed(&here.channels, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_nobody_asked_for_live_connections_listens_to_nothing() {
    let layer = GatedLayer::open();
    let site = Site::with(|node| node.layer(layer.clone()), |bots| bots);
    let _ada = site.connect().await;
    let wants = || layer.calls().iter().filter(|call| call.contains("narrows.live")).count();
    assert_eq!(wants(), 0, "{:?}", layer.calls());
    list(&site.channels, LiveFilter::new()).await;
    list(&site.channels, LiveFilter::new()).await;
    let subscribed =
        layer.calls().iter().filter(|call| call.starts_with("subscribe to group narrows.live")).count();
    assert_eq!(subscribed, 2, "questions and answers, once: {:?}", layer.calls());
}

#[tokio::test]
async fn a_node_that_ends_in_order_is_missed_by_nobody() {
    let layer = MemoryLayer::new();
    let here = Channels::builder().shards(1).layer(layer.another_node()).build();
    let there = Channels::builder().shards(1).layer(layer.another_node()).build();
    let (router, _ends) = crate::site::app(&there, |bots| bots);
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    there.live();
    let server = Server::new(router, &there, &settings).listen().await.unwrap();
    let both = async { while list(&here, LiveFilter::new()).await.nodes.answered < 2 {} };
    tokio::time::timeout(Duration::from_secs(60), both).await.expect("they know of each other");
    server.run_until(std::future::ready(())).await;
    let nodes = list(&here, LiveFilter::new()).await.nodes;
    assert_eq!((nodes.answered, nodes.silent), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_question_and_who_asks_far_too_much_harm_nobody() {
    let sites = sites(2);
    let mut ada = sites[1].connect().await;
    listed(&sites[0].channels, 1).await;
    let group = narrows::Group::new("narrows.live").unwrap();
    for bad in
        [json!({}), json!({"type": "narrows.live.ask"}), json!({"type": "narrows.live.bye", "node": "x"})]
    {
        sites[0].channels.broadcast(&group, &bad).await.unwrap();
    }
    let ask = json!({"type": "narrows.live.ask", "from": "0000000000000001", "number": 1, "what": "totals"});
    for _ in 0..5000 {
        sites[0].channels.broadcast(&group, &ask).await.unwrap();
    }
    ada.send(&ask_echo("here")).await;
    ada.expect(&said("here")).await;
    assert_eq!(list(&sites[0].channels, LiveFilter::new()).await.connections.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn messages_with_no_bottom_overflow_nobodys_stack() {
    let layer = MemoryLayer::new();
    let (here, there) = (site(&layer), site(&layer));
    let (mut ada, _bob) = (here.connect().await, there.connect().await);
    listed(&here.channels, 2).await;
    let answers = {
        let id = here.channels.live().connections(&LiveFilter::new()).await.unwrap().connections[0].id;
        let node = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, id.to_string());
        let node: String = node.unwrap()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("narrows.live.{node}")
    };
    for group in ["narrows.live", &answers] {
        let topic = narrows::Group::<serde_json::Value>::new(group).unwrap().topic();
        for payload in bottomless() {
            layer.publish(&topic, payload.into()).await.unwrap();
        }
    }
    assert_eq!(list(&here.channels, LiveFilter::new()).await.nodes.answered, 2);
    ada.send(&ask_echo("here")).await;
    ada.expect(&said("here")).await;
}

/// Questions and answers in MessagePack in which something is as deep as it can be read.
fn bottomless() -> Vec<Vec<u8>> {
    let text = |text: &str| [&[0xd9, text.len() as u8], text.as_bytes()].concat();
    let deep = [vec![0x91; 1015], vec![0xc0]].concat();
    let maps = [[&[0x81][..], &text("x")].concat().repeat(1000), vec![0xc0]].concat();
    let id = text("AAAAAAAAAAAAAAAAAAAAAAAA");
    let mut all = Vec::new();
    for deep in [deep, maps] {
        let send = [&[0x81][..], &text("send"), &[0x82], &text("id"), &id, &text("message"), &deep].concat();
        for (kind, what) in
            [("narrows.live.ask", &deep), ("narrows.live.ask", &send), ("narrows.live.answer", &deep)]
        {
            let from = [text("from"), text("0000000000000001")].concat();
            let node = [text("node"), text("0000000000000001"), text("number"), vec![1]].concat();
            let head = [&[0x86][..], &text("type"), &text(kind), &from, &node, &text("part"), &deep].concat();
            all.push([head, text("what"), what.clone()].concat());
        }
    }
    all
}
