//! With a site behind it that is served as sites are.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use narrows_django::Upstream;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Front;

async fn site() -> Front {
    let app = Router::new()
        .route(
            "/count",
            post(|body: Body| async move {
                let mut data = body.into_data_stream();
                let mut count = 0;
                while let Some(data) = data.next().await {
                    count += data.unwrap().len();
                }
                count.to_string()
            }),
        )
        .route(
            "/many/{mebibytes}",
            get(|Path(mebibytes): Path<usize>| async move {
                let block = axum::body::Bytes::from(vec![b'y'; 1 << 20]);
                Body::from_stream(stream::iter(
                    (0..mebibytes).map(move |_| Ok::<_, std::io::Error>(block.clone())),
                ))
            }),
        )
        .route("/echo/{text}", get(|Path(text): Path<String>| async move { text }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Front::of(upstream).await
}

#[tokio::test]
async fn a_large_upload_arrives_whole_with_a_length_or_in_chunks() {
    let front = site().await;
    let body = vec![b'x'; 20 << 20];
    let mut client = front
        .ask(&format!("POST /count HTTP/1.1\r\nhost: site\r\ncontent-length: {}\r\n\r\n", body.len()))
        .await;
    client.stream.write_all(&body).await.unwrap();
    client.head().await;
    assert_eq!(client.bytes(8).await, body.len().to_string());
    client.say("POST /count HTTP/1.1\r\nhost: site\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for block in body.chunks(1 << 20) {
        client.say(&format!("{:x}\r\n", block.len())).await;
        client.stream.write_all(block).await.unwrap();
        client.say("\r\n").await;
    }
    client.say("0\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.bytes(8).await, body.len().to_string());
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let front = site().await;
    let mut client = front.ask("GET /many/20 HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n").await;
    client.head().await;
    let body = client.rest().await;
    assert_eq!(body.bytes().filter(|byte| *byte == b'y').count(), 20 << 20);
    assert!(body.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn many_clients_at_once_get_each_their_own_answers() {
    let front = std::sync::Arc::new(site().await);
    let mut clients = JoinSet::new();
    for client in 0..50 {
        let front = front.clone();
        clients.spawn(async move {
            let mut wire = front.connect().await;
            for round in 0..20 {
                let text = format!("{client}-{round}");
                wire.say(&format!("GET /echo/{text} HTTP/1.1\r\nhost: site\r\n\r\n")).await;
                assert_eq!(wire.head().await.status(), 200);
                assert_eq!(wire.bytes(text.len()).await, text);
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
}
