//! Who is ended by its id does not go on.

use serde_json::json;

use super::notebook::Nodes;

#[tokio::test(start_paused = true)]
async fn who_is_ended_by_id_does_not_go_on_here_nor_elsewhere() {
    let nodes = Nodes::new(2);
    let live = nodes.channels[0].live();
    nodes.channels[1].live();
    for server in &nodes.servers {
        let mut ada = nodes.request().narrows().connect().await;
        let away = server.connect_request("/ws/lobby").narrows().with_token(ada.token());
        ada.send(&json!({"type": "add"})).await;
        let page = live.connections(&narrows::live::LiveFilter::new()).await.unwrap();
        assert_eq!((page.connections.len(), page.connections[0].speaks_narrows), (1, true));
        assert!(live.end(page.connections[0].id, "out").await.unwrap());
        ada.expect_close(4403).await;
        assert!(!away.connect().await.is_resumed());
    }
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_is_listed_as_resumed_and_under_another_id() {
    let nodes = Nodes::new(1);
    let live = nodes.channels[0].live();
    let filter = narrows::live::LiveFilter::new();
    let ada = nodes.request().narrows().connect().await;
    let before = live.connections(&filter).await.unwrap().connections;
    assert!(!before[0].is_resumed);
    let _back = ada.cut().connect().await;
    let after = live.connections(&filter).await.unwrap().connections;
    assert!(after.iter().any(|one| one.is_resumed && one.id != before[0].id), "{after:?}");
    // Its first part is found to be dead by now, or soon.
    assert!(!live.end(before[0].id, "").await.unwrap());
}
