//! Tests of consumers: a server without a port, and clients that say what they expect.
//!
//! ```
//! use axum::{Extension, Router};
//! use narrows::testing::TestServer;
//! use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Clone)]
//! struct User(&'static str);
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(tag = "type", rename_all = "lowercase")]
//! enum Msg { Said { from: String, text: String } }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Say { text: String }
//!
//! struct Room { group: Group<Msg>, me: &'static str }
//!
//! impl Consumer for Room {
//!     type Scope = Extension<User>;
//!     type In = Say;
//!     type Out = Msg;
//!     type Event = NoEvent;
//!
//!     async fn connect(Extension(me): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
//!         let group = Group::new("lobby")?;
//!         conn.join(&group).await?;
//!         Ok(Self { group, me: me.0 })
//!     }
//!
//!     async fn receive(&mut self, Say { text }: Say, conn: &mut Connection<Self>) -> Result<(), Close> {
//!         if text == "exit" {
//!             return Err(Close::with(4000, "you said exit"));
//!         }
//!         conn.broadcast(&self.group, &Msg::Said { from: self.me.into(), text }).await?;
//!         Ok(())
//!     }
//! }
//!
//! fn app(channels: &Channels) -> Router {
//!     Router::new().route("/ws/lobby", channels.consumer::<Room>().route())
//! }
//!
//! // #[tokio::test]
//! async fn what_one_says_the_other_hears() {
//!     let channels = Channels::builder().on_this_thread().build();
//!     let server = TestServer::new(app(&channels));
//!     // Who is logged in, without a session: what a middleware would have put there.
//!     let mut ada = server.connect_request("/ws/lobby").extension(User("ada")).connect().await;
//!     let mut bob = server.connect_request("/ws/lobby").extension(User("bob")).connect().await;
//!
//!     ada.send(&json!({"text": "hi"})).await;
//!     bob.expect(&json!({"type": "said", "from": "ada", "text": "hi"})).await;
//!     let said: Msg = ada.receive().await;
//!     assert_eq!(said, Msg::Said { from: "ada".into(), text: "hi".into() });
//!
//!     bob.send(&Say { text: "exit".into() }).await;
//!     assert_eq!(bob.expect_close(4000).await, "you said exit");
//!     ada.expect_nothing().await;
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() { what_one_says_the_other_hears().await }
//! ```
//!
//! # Who connects
//! [`TestServer::connect`] comes as a page of the site itself does, with its origin.
//! [`TestServer::connect_request`] takes other headers, origins, addresses, subprotocols and values that a
//! middleware would put into the request; its `try_connect` gives a refusal to look at. A connection gets an
//! [`Identity`](crate::Identity) by `.extension(identity)`, as if an extractor had bound it, and ends with
//! `expect_close(4401)`.
//!
//! # Time
//! With [`on_this_thread`](crate::ChannelsBuilder::on_this_thread) the connections run on the test's own
//! runtime. Where that has a paused clock (`#[tokio::test(start_paused = true)]`, from tokio's feature
//! `test-util`), time passes only while everything waits, and then at once: an hour's silence costs nothing,
//! and no test depends on how fast the machine is.
//!
//! ```
//! # use narrows::testing::TestServer;
//! # use narrows::{Channels, Close, Connection, Consumer, NoEvent, Raw, Reject};
//! # struct Echo;
//! # impl Consumer for Echo {
//! #     type Scope = (); type In = Raw; type Out = Raw; type Event = NoEvent;
//! #     async fn connect(_: (), _: &mut Connection<Self>) -> Result<Self, Reject> { Ok(Self) }
//! #     async fn receive(&mut self, m: Raw, c: &mut Connection<Self>) -> Result<(), Close> { Ok(c.send(&m)?) }
//! # }
//! use std::time::Duration;
//!
//! // #[tokio::test(start_paused = true)]
//! async fn a_client_that_answers_no_ping_is_cut_off() {
//!     let channels = Channels::builder().on_this_thread().build();
//!     let echo = channels.consumer::<Echo>().route();
//!     let server = TestServer::new(axum::Router::new().route("/ws/echo", echo));
//!     let mut client = server.connect("/ws/echo").await;
//!
//!     tokio::time::sleep(Duration::from_secs(3600)).await; // pings are answered by themselves
//!     client.answer_pings(false);
//!     client.receive_timeout(Duration::from_secs(60));
//!     client.expect_close(1006).await;
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() { a_client_that_answers_no_ping_is_cut_off().await }
//! ```
//!
//! # Trouble
//! [`FaultyLayer`] stands before any channel layer and loses, delays, swaps and disconnects when [`Faults`] says so:
//! to see what a consumer does when Redis is away.
//!
//! # When a test fails
//! An expectation that is not met panics with what came instead (a message with the places where it differs,
//! a close code, nothing for so long) and with the line of the test that waited for it.

mod client;
mod difference;
mod expect;
mod faults;
mod faulty_layer;
mod narrows;
mod pump;
mod received;
mod request;
mod response;
mod server;
mod wire;

pub use self::client::TestClient;
pub use self::faults::{FaultCounts, Faults};
pub use self::faulty_layer::FaultyLayer;
pub use self::narrows::{NarrowsClient, NarrowsRequest, ReplyError};
pub use self::received::Received;
pub use self::request::ConnectRequest;
pub use self::response::TestResponse;
pub use self::server::TestServer;
