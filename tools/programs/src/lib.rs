//! Outside programs in tests: finding them, leaving a test out where they are missing, running them.
//!
//! A test that needs a program begins with
//!
//! ```
//! let Some([sh]) = programs::need(["sh"]) else { return };
//! let mut child = programs::Child::start(std::process::Command::new(sh).args(["-c", "echo ready; read x"]));
//! child.line("ready");
//! // … and the program ends with the test.
//! ```
//!
//! On a machine without the program the test says on standard error that it was left out, and why. With
//! `NARROWS_REQUIRE=all` in the environment, as in CI, it fails instead.

mod child;
mod find;
mod port;
mod target;

pub use child::Child;
pub use find::{find, leave_out, need, required};
pub use port::{free_port, wait_for_port};
pub use target::target;
