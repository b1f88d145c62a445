use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::options::{Options, cert_reqs};
use super::{Host, PORT, ParseHostError, Place, SENTINEL_PORT};

/// Reads several hosts from one text, as from a command line: URLs with spaces between them, or commas.
///
/// A comma inside the list of a `redis+sentinel` or `redis+cluster` URL stays there: only one in front of a scheme
/// ends a URL.
///
/// ```
/// use narrows_redis::{Host, parse_hosts};
///
/// let hosts = parse_hosts("redis://a,redis+cluster://b,c:7000 redis://d")?;
/// assert_eq!(hosts, [
///     Host::new("a", 6379),
///     Host::cluster([("b", 6379), ("c", 7000)]),
///     Host::new("d", 6379),
/// ]);
/// # Ok::<(), narrows_redis::ParseHostError>(())
/// ```
///
/// # Errors
/// When one of them is no host, or there is none.
pub fn parse_hosts(text: &str) -> Result<Vec<Host>, ParseHostError> {
    let urls: Vec<&str> = text.split_whitespace().flat_map(urls).collect();
    // A password cut in two by a space: nothing of it may get into another error.
    if urls.iter().any(|url| url.contains('@') && split_scheme(url).is_none()) {
        return Err(ParseHostError::Unescaped);
    }
    let hosts = urls.into_iter().map(str::parse).collect::<Result<Vec<Host>, _>>()?;
    if hosts.is_empty() { Err(ParseHostError::NoHost) } else { Ok(hosts) }
}

/// Splits at commas in front of a scheme, and drops those at both ends.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(',');
        let mut commas = rest.match_indices(',');
        let end = commas.find(|&(at, _)| split_scheme(&rest[at + 1..]).is_some());
        let (url, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        (!url.is_empty()).then(|| url.trim_end_matches(','))
    })
}

/// See [`Host`] for the forms.
impl FromStr for Host {
    type Err = ParseHostError;

    fn from_str(url: &str) -> Result<Self, ParseHostError> {
        let (place, options) = parse(url)?;
        options.host(place)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Tcp,
    Unix,
    Sentinel,
    Cluster,
}

/// The place that a URL names, and what else it says.
pub(super) fn parse(url: &str) -> Result<(Place, Options), ParseHostError> {
    let (scheme, rest) = split_scheme(url.trim()).ok_or(ParseHostError::NotAUrl)?;
    let (kind, ssl) = match scheme {
        "redis" => (Kind::Tcp, false),
        "rediss" => (Kind::Tcp, true),
        "unix" => (Kind::Unix, false),
        "redis+sentinel" => (Kind::Sentinel, false),
        "rediss+sentinel" => (Kind::Sentinel, true),
        "redis+cluster" => (Kind::Cluster, false),
        "rediss+cluster" => (Kind::Cluster, true),
        other => return Err(ParseHostError::Scheme { scheme: other.to_owned() }),
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Such a place of an @ means that a password was cut in two: nothing of it may get into another error.
    let cut = rest.contains('#') || query.contains('@') || kind != Kind::Unix && path.contains('@');
    if cut {
        return Err(ParseHostError::Unescaped);
    }
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (username, password) = user.split_once(':').unwrap_or((user, ""));
    let mut options = Options {
        username: some(decode(username, "user")?),
        password: some(decode(password, "password")?),
        ssl: Some(ssl).filter(|_| kind != Kind::Unix),
        ..Options::default()
    };
    let mut place = match kind {
        Kind::Tcp | Kind::Cluster => {
            options.db = path_db(path, path)?;
            if kind == Kind::Tcp { tcp(hosts)? } else { Place::Cluster { seeds: addresses(hosts, PORT)? } }
        }
        // Not shown: it may be a piece of a password.
        Kind::Unix if !hosts.is_empty() => return Err(ParseHostError::NoPath),
        Kind::Unix => Place::Unix(decode(path, "path")?.into()),
        Kind::Sentinel => {
            let master = path.strip_prefix('/').unwrap_or(path);
            let (master, db) = master.split_at(master.find('/').unwrap_or(master.len()));
            options.db = path_db(db, path)?;
            let sentinels = addresses(hosts, SENTINEL_PORT)?;
            let master = decode(master, "name of the master")?;
            Place::Sentinel { sentinels, master, username: None, password: None }
        }
    };
    let of_query = read_query(query, kind, ssl, &mut place)?;
    // The database of the query goes before the one of the path, the user of the authority before that of the query.
    options.db = of_query.db.or(options.db);
    Ok((place, options.or(of_query)))
}

/// What stands before and behind `://`. `None` where the first is no scheme.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some((scheme, rest))
}

fn tcp(address: &str) -> Result<Place, ParseHostError> {
    if address.contains(',') {
        return Err(ParseHostError::SeveralHosts);
    }
    let named = if is_nameless(address) { "localhost" } else { "" };
    let (host, port) = self::address(&format!("{named}{address}"), PORT)?;
    Ok(Place::Tcp { host, port })
}

fn addresses(list: &str, default_port: u16) -> Result<Vec<(String, u16)>, ParseHostError> {
    list.split(',').map(|address| self::address(address, default_port)).collect()
}

/// Nothing, or a port alone.
fn is_nameless(address: &str) -> bool {
    address.is_empty() || address.starts_with(':') && address.rfind(':') == Some(0)
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`.
fn address(address: &str, default_port: u16) -> Result<(String, u16), ParseHostError> {
    if is_nameless(address) {
        return Err(ParseHostError::NoHost);
    }
    let (host, port) = match address.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
            (host.to_owned(), port.strip_prefix(':').or(port.is_empty().then_some("")))
        }
        Some(_) => (String::new(), None),
        None => {
            let (host, port) = address.split_once(':').unwrap_or((address, ""));
            (decode(host, "host")?, Some(port))
        }
    };
    let strange = |c: char| c.is_whitespace() || c.is_control() || "[]/\\@,".contains(c);
    let Some(port) = port.filter(|port| !port.contains(':') && !host.contains(strange)) else {
        return Err(ParseHostError::Host { host: address.to_owned() });
    };
    if port.is_empty() {
        return Ok((host, default_port));
    }
    let number = port.parse().ok().filter(|&number| number != 0 && port.bytes().all(|b| b.is_ascii_digit()));
    Ok((host, number.ok_or_else(|| ParseHostError::Port { port: port.to_owned() })?))
}

/// The database in a path, `/2`; `whole` is the path to show.
fn path_db(path: &str, whole: &str) -> Result<Option<i64>, ParseHostError> {
    let db = path.strip_prefix('/').unwrap_or(path);
    if db.contains('/') {
        let allowed = "/db, or with sentinels /master/db";
        return Err(ParseHostError::Path { path: whole.to_owned(), allowed });
    }
    if db.is_empty() { Ok(None) } else { read_db(db).map(Some) }
}

fn read_db(db: &str) -> Result<i64, ParseHostError> {
    let number = db.parse().ok().filter(|_| db.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| ParseHostError::Db { db: db.to_owned() })
}

fn read_query(query: &str, kind: Kind, ssl: bool, place: &mut Place) -> Result<Options, ParseHostError> {
    let mut options = Options::default();
    let mut seen = Vec::new();
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let name = decode(name, "name of an option")?;
        // As in forms, and in redis-py, a plus is a space here.
        let value = decode(&value.replace('+', " "), "value of an option")?;
        match (name.as_str(), &mut *place) {
            ("db", _) => options.db = Some(read_db(&value)?),
            ("username", _) => options.username = some(value),
            ("password", _) => options.password = some(value),
            ("sentinel_username", Place::Sentinel { username, .. }) => *username = some(value),
            ("sentinel_password", Place::Sentinel { password, .. }) => *password = some(value),
            ("ssl_ca_certs", _) if kind != Kind::Unix => options.ssl_ca_certs = Some(value.into()),
            ("ssl_certfile", _) if kind != Kind::Unix => options.ssl_certfile = Some(value.into()),
            ("ssl_keyfile", _) if kind != Kind::Unix => options.ssl_keyfile = Some(value.into()),
            ("ssl_cert_reqs", _) if kind != Kind::Unix => options.verify = Some(cert_reqs(&value)?),
            ("ssl_check_hostname", _) if kind != Kind::Unix => {
                options.ssl_check_hostname = Some(read_bool("ssl_check_hostname", &value)?);
            }
            _ => return Err(ParseHostError::UnknownOption { name, allowed: allowed(kind, ssl) }),
        }
        if seen.contains(&name) {
            return Err(ParseHostError::Twice { name });
        }
        seen.push(name);
    }
    Ok(options)
}

fn read_bool(name: &'static str, value: &str) -> Result<bool, ParseHostError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ParseHostError::Value { name, value: value.to_owned(), allowed: "true or false" }),
    }
}

fn allowed(kind: Kind, ssl: bool) -> &'static str {
    match (kind, ssl) {
        (Kind::Unix | Kind::Tcp | Kind::Cluster, false) => "db, username or password",
        (Kind::Sentinel, false) => "db, username, password, sentinel_username or sentinel_password",
        (Kind::Sentinel, true) => {
            "db, username, password, sentinel_username, sentinel_password, ssl_ca_certs, ssl_certfile, ssl_keyfile, \
             ssl_cert_reqs or ssl_check_hostname"
        }
        (_, true) => {
            "db, username, password, ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_cert_reqs or ssl_check_hostname"
        }
    }
}

fn decode(text: &str, part: &'static str) -> Result<String, ParseHostError> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|_| ParseHostError::NotUtf8 { part })?.into_owned())
}

/// As in redis-py, an empty user or password is none.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
