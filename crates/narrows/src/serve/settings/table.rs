use std::path::PathBuf;
use std::time::Duration;

use super::Settings;
use super::setting::Setting;
use super::value::{Kind, Value, Zero};

/// A setting of every server, and the field that it fills.
pub(super) struct Row {
    pub(super) setting: Setting,
    field: Field,
}

/// Access to a field of [`Settings`], for reading its default and for writing what was loaded.
enum Field {
    Duration(fn(&mut Settings) -> &mut Duration),
    Number(fn(&mut Settings) -> &mut usize),
    Switch(fn(&mut Settings) -> &mut bool),
    Text(fn(&mut Settings) -> &mut String),
    List(fn(&mut Settings) -> &mut Vec<String>),
    Paths(fn(&mut Settings) -> &mut Vec<PathBuf>),
}

impl Row {
    /// Writes a checked value into its field.
    pub(super) fn fill(&self, settings: &mut Settings, value: &Value) {
        match (&self.field, value) {
            (Field::Duration(field), Value::Duration(value)) => *field(settings) = *value,
            (Field::Number(field), Value::Bytes(value) | Value::Count(value)) => *field(settings) = *value,
            (Field::Switch(field), Value::Switch(value)) => *field(settings) = *value,
            (Field::Text(field), Value::Text(value)) => field(settings).clone_from(value),
            (Field::List(field), Value::List(value)) => field(settings).clone_from(value),
            (Field::Paths(field), Value::List(value)) => {
                *field(settings) = value.iter().map(PathBuf::from).collect();
            }
            (_, value) => unreachable!("{}: its kind never yields {value:?}", self.setting.name),
        }
    }
}

/// A setting as the table below writes it: name, kind, field and help.
type Line = (&'static str, Kind, Field, &'static str);

/// Those whose values are shown to nobody.
const SECRETS: [&str; 2] = ["secret_key", "secret_key_fallbacks"];

/// Every setting that a server has, in the order in which the help shows them.
pub(super) fn rows() -> Vec<Row> {
    use Field::{Duration, List, Number, Paths, Switch, Text};
    use Kind::{Addresses, Bytes, Choice, Count, Origins, Proxies};
    const OFF: Kind = Kind::Duration(Zero::Off);
    const INSTANT: Kind = Kind::Duration(Zero::Instant);
    const NEEDED: Kind = Kind::Duration(Zero::Refused);
    const ANY: Kind = Count { least: 0 };
    const SOME: Kind = Count { least: 1 };
    const SIZE: Kind = Bytes { least: 1 };

    #[rustfmt::skip]
    let sections: Vec<(&'static str, Vec<Line>)> = vec![
        ("Listening", vec![
            ("bind", Addresses, List(|s| &mut s.bind),
                "Addresses to listen on; the default holds only where neither `unix` nor `inherit` is given"),
            ("unix", Kind::List("PATH"), Paths(|s| &mut s.unix), "Unix sockets to listen on"),
            ("inherit", Kind::Switch, Switch(|s| &mut s.inherit),
                "Take over the sockets that the parent process opened (`LISTEN_FDS`)"),
            ("shards", ANY, Number(|s| &mut s.shards), "Shards, each with its own thread; 0 is one for each core"),
        ]),
        ("Requests", vec![
            ("header_timeout", OFF, Duration(|s| &mut s.header_timeout),
                "How long a client may take to send the head of a request, the wait for its next request included"),
            ("max_header_bytes", Bytes { least: 8 * 1024 }, Number(|s| &mut s.max_header_bytes),
                "Largest head of a request; at least 8KiB, which is what the HTTP parser reads at once"),
            ("max_headers", SOME, Number(|s| &mut s.max_headers), "Most header fields of a request"),
        ]),
        ("Proxies", vec![
            ("trusted_proxies", Proxies, List(|s| &mut s.trusted_proxies),
                "Whose `X-Forwarded-…` and `Forwarded` headers are believed: addresses, networks, `unix`"),
            ("root_path", Kind::Text("PATH"), Text(|s| &mut s.root_path),
                "Path under which a proxy shows this site, such as `/chat`; routes do not change"),
        ]),
        ("Connections", vec![
            ("max_connections", ANY, Number(|s| &mut s.limits.max_connections),
                "WebSocket connections in all; 0 is no limit"),
            ("max_connections_per_address", ANY, Number(|s| &mut s.limits.max_connections_per_address),
                "WebSocket connections from one address; 0 is no limit"),
            ("max_groups", ANY, Number(|s| &mut s.limits.max_groups), "Groups that one connection may be in"),
            ("connect_timeout", NEEDED, Duration(|s| &mut s.limits.connect_timeout),
                "How long a consumer may take to answer the handshake, before the client gets a 503"),
            ("ping_interval", OFF, Duration(|s| &mut s.limits.ping_interval),
                "Silence after which the server sends a ping"),
            ("ping_timeout", OFF, Duration(|s| &mut s.limits.ping_timeout),
                "How long the answer to a ping may take, before the connection counts as lost"),
            ("idle_timeout", OFF, Duration(|s| &mut s.limits.idle_timeout),
                "Time without a message from the client, after which it is closed"),
            ("write_timeout", NEEDED, Duration(|s| &mut s.limits.write_timeout),
                "How long a socket may stay full, before its client counts as a slow consumer"),
            ("close_timeout", INSTANT, Duration(|s| &mut s.limits.close_timeout),
                "How long the client may take to answer a close, before TCP is cut"),
            ("disconnect_timeout", NEEDED, Duration(|s| &mut s.limits.disconnect_timeout),
                "How long a consumer's `disconnect` may take, before it is dropped"),
            ("long_handler", OFF, Duration(|s| &mut s.limits.long_handler),
                "How long one call of a handler may hold its shard up, before it is counted and named in the log"),
        ]),
        ("Identities", vec![
            ("identity_check_period", OFF, Duration(|s| &mut s.identity_check_period),
                "How often it is checked whether the sessions of connections still hold"),
        ]),
        ("Presence", vec![
            ("presence_lease", NEEDED, Duration(|s| &mut s.presence_lease),
                "How long after its last sign of life a node counts as dead, and its connections leave"),
            ("presence_period", INSTANT, Duration(|s| &mut s.presence_period),
                "How often members are told who came and went"),
            ("max_tracked", ANY, Number(|s| &mut s.limits.max_tracked),
                "Groups in whose presence one connection may be"),
        ]),
        ("Coming back", vec![
            ("resume_window", OFF, Duration(|s| &mut s.resume_window),
                "How long clients may take to come back after a lost connection, and go on where they were"),
            ("secret_key", Kind::Text("TEXT"), Text(|s| &mut s.secret_key.0),
                "The site's secret, the same on all nodes: seals what a client brings when it comes back"),
            ("secret_key_fallbacks", Kind::List("TEXT"), List(|s| &mut s.secret_key_fallbacks.0),
                "Secrets that were in use before it"),
        ]),
        ("Messages", vec![
            ("max_message_bytes", SIZE, Number(|s| &mut s.limits.max_message_bytes),
                "Largest message from a client, all its fragments together"),
            ("max_frame_bytes", SIZE, Number(|s| &mut s.limits.max_frame_bytes),
                "Largest single frame from a client; at most `max_message_bytes`, and lowered with it"),
            ("max_fragments", SOME, Number(|s| &mut s.limits.max_fragments), "Most fragments of one message"),
            ("outbox_bytes", SIZE, Number(|s| &mut s.outbox_bytes), "Bytes that may wait for one slow client"),
            ("unsent_bytes", Bytes { least: 0 }, Number(|s| &mut s.unsent_bytes),
                "Bytes that the kernel may hold unsent for one client before more wait here; 0 is as the kernel likes"),
            ("outbox_messages", SOME, Number(|s| &mut s.outbox_messages),
                "Messages that may wait for one slow client"),
        ]),
        ("Origins", vec![
            ("origins", Origins, List(|s| &mut s.origins),
                "Pages that may open sockets: those of the same origin, any, or a list"),
            ("missing_origin", Choice(&["allow", "no-cookies", "refuse"]), Text(|s| &mut s.missing_origin),
                "What becomes of a handshake that names no origin, as from a program"),
        ]),
        ("Shutting down", vec![
            ("drain_delay", INSTANT, Duration(|s| &mut s.drain_delay),
                "How long readiness already fails, before the server stops accepting"),
            ("drain_window", INSTANT, Duration(|s| &mut s.drain_window),
                "The time over which closes are spread, so that clients do not all come back at once"),
            ("drain_timeout", INSTANT, Duration(|s| &mut s.drain_timeout),
                "How long the connections may take to end, before they are cut"),
        ]),
        ("Log", vec![
            ("log", Kind::Text("FILTER"), Text(|s| &mut s.log),
                "What to log, such as `info` or `narrows=debug,warn`"),
        ]),
    ];
    let mut defaults = Settings::default();
    let mut rows = Vec::new();
    for (section, settings) in sections {
        for (name, kind, field, help) in settings {
            let default = default_of(&mut defaults, kind, &field);
            let mut setting = Setting { section, ..Setting::new(name, kind, default, help) };
            if SECRETS.contains(&name) {
                setting = setting.secret();
            }
            if name == "secret_key" {
                // As platforms and other programs of the same site have it.
                setting = setting.variable("SECRET_KEY");
            }
            rows.push(Row { setting, field });
        }
    }
    rows
}

/// Reads a default off [`Settings::default`], so that it is written down once.
fn default_of(settings: &mut Settings, kind: Kind, field: &Field) -> Value {
    match field {
        Field::Duration(field) => Value::Duration(*field(settings)),
        Field::Number(field) if matches!(kind, Kind::Bytes { .. }) => Value::Bytes(*field(settings)),
        Field::Number(field) => Value::Count(*field(settings)),
        Field::Switch(field) => Value::Switch(*field(settings)),
        Field::Text(field) => Value::Text(field(settings).clone()),
        Field::List(field) => Value::List(field(settings).clone()),
        Field::Paths(field) => {
            Value::List(field(settings).iter().map(|path| path.display().to_string()).collect())
        }
    }
}
