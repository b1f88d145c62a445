use tokio_tungstenite::tungstenite::Error;

use crate::server::Server;

#[tokio::test]
async fn the_pages_of_the_tutorial_have_its_elements() {
    let server = Server::start();
    let rooms = server.get("/chat/").await;
    let room = server.get("/chat/lobby/").await;
    assert!(rooms.contains("id=\"room-name-input\"") && rooms.contains("id=\"room-name-submit\""), "{rooms}");
    for id in ["chat-log", "chat-message-input", "chat-message-submit"] {
        assert!(room.contains(&format!("id=\"{id}\"")), "{room}");
    }
    assert!(server.get("/static/chat.js").await.contains("text/javascript"));
}

#[tokio::test]
async fn a_room_whose_name_no_group_can_have_is_refused_with_the_reason() {
    let server = Server::start();
    for name in ["caf%C3%A9", "two%20words", &"x".repeat(95)] {
        let page = server.get(&format!("/chat/{name}/")).await;
        assert!(page.starts_with("HTTP/1.1 400 "), "{page}");
        assert!(page.contains("There can be no room of this name: "), "{page}");
        let Err(Error::Http(answer)) = server.connect(&format!("/ws/chat/{name}/")).await else {
            panic!("{name} was accepted");
        };
        assert_eq!(answer.status(), 400);
    }
    assert!(server.get(&format!("/chat/{}/", "x".repeat(94))).await.starts_with("HTTP/1.1 200 "));
}
