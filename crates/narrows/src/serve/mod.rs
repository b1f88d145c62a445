//! Running a server: where it listens, how it is told what to do, and how it ends without losing anything.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use narrows::Channels;
//! use narrows::serve::{Server, settings::{Program, Settings}};
//!
//! # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
//! // Flags, environment and a TOML file; `--help` lists them.
//! let settings = Settings::from_process(&Program::new("chat", env!("CARGO_PKG_VERSION"))).settings;
//! let channels = Channels::builder().settings(&settings)?.build();
//! let app = Router::new().route("/", get(|| async { "hello" }));
//! let server = Server::new(app, &channels, &settings).listen().await?;
//! let addresses = server.addresses().to_vec();
//! let running = server.run(); // until SIGTERM or SIGINT, then drained
//! for address in addresses {
//!     println!("listening on {address}");
//! }
//! running.await;
//! # Ok(()) }
//! ```

mod acceptor;
mod health;
mod http;
mod listener;
mod server;
pub mod settings;
mod signals;

pub use self::health::health;
pub use self::listener::{Address, ListenError};
pub use self::server::{Listening, Server};
pub(crate) use self::signals::first_signal;
