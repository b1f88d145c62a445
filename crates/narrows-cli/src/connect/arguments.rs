use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use serde_json::Value;

use super::request::{Cookie, Header, Subprotocol};
use super::{target::Target, units};

const AFTER_HELP: &str = "\
With a terminal on both sides there is a prompt; /help lists its commands. Otherwise each line of the standard input is
sent as a message, and each message that comes is a line of the standard output. At the end of the input the connection
is closed, once everything is sent; what the server says before it answers the close is still printed.

Exit codes:
  0  the connection ended as wanted: closed from here, or by the server with 1000, 1001 or no code
  1  a wrong argument or line of input, or output that cannot be written
  2  could not connect: name, refusal, TLS, time-out
  3  the server refused the handshake
  4  the server closed with another code
  5  the connection was lost, the server did not answer a close, or broke the protocol
  6  --count or --expect was not met";

/// Where to connect, as whom, and what to wait for.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(group(ArgGroup::new("goal").args(["count", "expect", "expect_json"]).multiple(true)))]
pub(crate) struct Connect {
    /// ws://, wss://, http://, https://, or ws+unix:///path/to.sock:/path
    #[arg(value_name = "URL", value_parser = Target::parse)]
    pub(super) url: Target,
    /// A header of the handshake, such as 'Authorization: Token …'
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = Header::parse)]
    pub(super) headers: Vec<Header>,
    /// A subprotocol to offer; several in the order of preference
    #[arg(long = "subprotocol", value_name = "NAME", value_parser = Subprotocol::parse)]
    pub(super) subprotocols: Vec<Subprotocol>,
    /// A cookie to send
    #[arg(long = "cookie", value_name = "NAME=VALUE", value_parser = Cookie::parse)]
    pub(super) cookies: Vec<Cookie>,
    /// The origin to name, in the place of the URL's own
    #[arg(long, value_parser = Header::value)]
    pub(super) origin: Option<String>,
    /// Name no origin, as programs do that are no browsers
    #[arg(long, conflicts_with = "origin")]
    pub(super) no_origin: bool,
    /// Connect to this unix socket in the place of the URL's host and port
    #[arg(long, value_name = "PATH")]
    pub(super) unix: Option<PathBuf>,
    /// Trust the certificates of this PEM file, in the place of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Do not check the server's certificate
    #[arg(long, conflicts_with = "ca")]
    pub(super) insecure: bool,

    /// What is typed or read is hexadecimal and sent as binary messages
    #[arg(long)]
    pub(super) binary: bool,
    /// Print what comes as JSON: {"type":"text|binary|ping|pong|close","data":…}
    #[arg(long)]
    pub(super) json_lines: bool,
    /// Close when so many messages have come
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Close when a message came that is this text; several in any order
    #[arg(long, value_name = "TEXT")]
    pub(super) expect: Vec<String>,
    /// The same for a message in JSON that holds these members, and perhaps others
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(super) expect_json: Vec<Value>,
    /// How long --count and --expect have, from the handshake on [default: 10s for --expect, no limit for --count]
    #[arg(long, value_name = "TIME", requires = "goal", value_parser = units::some_duration)]
    pub(super) timeout: Option<Duration>,
    /// Stay connected for so long after the end of the input
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(super) wait: Option<Duration>,
    /// Stay connected after the end of the input until the server closes
    #[arg(long, conflicts_with = "wait")]
    pub(super) stay: bool,

    /// Send a ping so often; the connection counts as lost when nothing came until the next one
    #[arg(long, value_name = "TIME", value_parser = units::some_duration)]
    pub(super) ping_interval: Option<Duration>,
    /// How long name, TCP, TLS and handshake may take together
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::some_duration)]
    pub(super) connect_timeout: Duration,
    /// How long the server may be silent before it answers our close
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = units::some_duration)]
    pub(super) close_timeout: Duration,
    /// Largest message, either way
    #[arg(long, value_name = "BYTES", default_value = "16MiB", value_parser = units::size)]
    pub(super) max_message_bytes: usize,
    /// Say nothing but messages and errors
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Show the headers of the server's answer, and pings
    #[arg(short, long, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Neither read nor keep what was typed in earlier sessions
    #[arg(long)]
    pub(super) no_history: bool,
}

impl Connect {
    /// Until when what was asked for must have come.
    pub(super) fn time_limit(&self) -> Option<Duration> {
        const FOR_EXPECTATIONS: Duration = Duration::from_secs(10);
        let expects = !(self.expect.is_empty() && self.expect_json.is_empty());
        self.timeout.or(expects.then_some(FOR_EXPECTATIONS))
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))
}
