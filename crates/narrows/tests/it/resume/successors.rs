use narrows::Cause;

use super::notebook::{Nodes, Told};

#[tokio::test(start_paused = true)]
async fn the_connection_before_is_ended_when_its_successor_comes_here_or_elsewhere() {
    for node in [0, 1] {
        let mut nodes = Nodes::new(2);
        let mut dead = nodes.request().narrows().connect().await;
        assert_eq!(nodes.next().await, Told::Connected);
        // It is not dead at all, but the server cannot know.
        let again = nodes.request().narrows().with_token(dead.token()).to(&nodes.servers[node]);
        let back = again.connect().await;
        assert!(back.is_resumed());
        let told = [nodes.next().await, nodes.next().await];
        assert!(told.contains(&Told::Ended(Cause::Resumed)) && told.contains(&Told::Resumed(0)), "{told:?}");
        dead.expect_close(4409).await;
        drop(back);
        assert_eq!(nodes.next().await, Told::Ended(Cause::Lost));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ended_before_its_successor_came_ended_as_it_did() {
    let mut nodes = Nodes::new(1);
    let away = nodes.request().narrows().connect().await.cut();
    assert_eq!([nodes.next().await, nodes.next().await], [Told::Connected, Told::Ended(Cause::Lost)]);
    let _back = away.connect().await;
    assert_eq!(nodes.next().await, Told::Resumed(0));
}
