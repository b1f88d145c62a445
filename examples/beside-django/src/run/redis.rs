use std::io;
use std::path::Path;

use tokio::process::Command;

use super::held::Held;
use super::python::Python;

/// Starts a Redis server of this site's own, behind a unix socket; gives its URL too. `None` where there is no
/// `redis-server` on `PATH`.
pub(crate) fn start_redis(
    sockets: &Path,
    python: &Python,
    site: &Path,
) -> io::Result<Option<(Held, String)>> {
    let Some(server) = programs::find("redis-server") else { return Ok(None) };
    let socket = sockets.join("redis.sock");
    let mut command = Command::new(server);
    // No port, and nothing is kept: messages are for who is there.
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "700"]);
    command.args(["--logfile", "redis.log", "--unixsocket"]).arg(&socket).arg("--dir").arg(sockets);
    let held = Held::start("redis", &python.python(), site, &command)?;
    Ok(Some((held, format!("unix://{}", socket.display()))))
}
