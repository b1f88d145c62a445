use super::envelope::Envelope;
use super::frame;
use super::handshake;
use super::target::Targets;

/// What is said to open a connection, and how its messages are read.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) targets: Targets,
    pub(super) envelope: Envelope,
    pub(super) rooms: Rooms,
}

/// Which room a connection is for.
#[derive(Debug)]
pub(super) enum Rooms {
    /// None in particular.
    None,
    One(String),
    /// So many connections in a row share one, and rooms have numbers.
    Each(usize),
}

/// What a Socket.IO server still has to say before a connection is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// Engine.IO is open: `0{…}`.
    Engine,
    /// We are connected to the namespace: `40{…}`.
    Namespace,
    /// We are in the room: `42["joined"]`.
    Joined,
}

/// What a payload is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payload {
    Message,
    /// Engine.IO's own ping, which is answered with a message.
    Ping,
    /// Of no interest.
    Other,
    /// Socket.IO's own ways of ending a connection.
    End,
}

impl Protocol {
    /// The request that opens a connection.
    pub(super) fn request(&self, number: usize) -> Vec<u8> {
        let room = self.rooms.of(number);
        let target = self.targets.of(number);
        let path = target.path.replace("{n}", &number.to_string());
        handshake::request(target, &path.replace("{room}", room.as_deref().unwrap_or("bench")))
    }

    /// What comes after the 101.
    pub(super) fn greeting(&self) -> Option<Greeting> {
        (self.envelope == Envelope::SocketIo).then_some(Greeting::Engine)
    }

    /// Takes one payload in: what to wait for now. The error is a payload that a greeting does not have.
    pub(super) fn greet(
        &self,
        greeting: Greeting,
        payload: &[u8],
        number: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Greeting>, &'static str> {
        match greeting {
            Greeting::Engine if payload.starts_with(b"0{") => {
                frame::append(out, frame::TEXT, b"40");
                Ok(Some(Greeting::Namespace))
            }
            Greeting::Engine => Err("the engine.io open packet, 0{…}"),
            Greeting::Namespace if payload.starts_with(b"40") => {
                let Some(room) = self.rooms.of(number) else { return Ok(None) };
                frame::append(out, frame::TEXT, format!(r#"42["join","{room}"]"#).as_bytes());
                Ok(Some(Greeting::Joined))
            }
            Greeting::Namespace if payload.starts_with(b"44") => Err("a connection, 40{…}"),
            Greeting::Joined if payload.starts_with(br#"42["joined""#) => Ok(None),
            // Events may come at any time.
            Greeting::Namespace | Greeting::Joined => Ok(Some(greeting)),
        }
    }

    /// What a payload of an open connection is.
    pub(super) fn read(&self, payload: &[u8]) -> Payload {
        match (self.envelope, payload) {
            (Envelope::Json | Envelope::Text, _) => Payload::Message,
            (Envelope::SocketIo, [b'4', b'2', ..]) => Payload::Message,
            (Envelope::SocketIo, [b'2', ..]) => Payload::Ping,
            (Envelope::SocketIo, [b'4', b'1' | b'4', ..] | [b'1', ..]) => Payload::End,
            (Envelope::SocketIo, _) => Payload::Other,
        }
    }
}

impl Rooms {
    fn of(&self, number: usize) -> Option<String> {
        match self {
            Self::None => None,
            Self::One(name) => Some(name.clone()),
            Self::Each(members) => Some((number / members).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(envelope: Envelope, rooms: Rooms) -> Protocol {
        let targets = Targets::new(&["ws://127.0.0.1:1/{room}/{n}/".to_owned()]).unwrap();
        Protocol { targets, envelope, rooms }
    }

    #[test]
    fn a_path_holds_the_connections_number_and_its_room() {
        let path = |rooms, number| {
            let request = protocol(Envelope::Json, rooms).request(number);
            String::from_utf8(request).unwrap().split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(path(Rooms::None, 7), "/bench/7/");
        assert_eq!(path(Rooms::One("a".to_owned()), 7), "/a/7/");
        assert_eq!(path(Rooms::Each(3), 5), "/1/5/");
    }

    #[test]
    fn a_socket_io_connection_is_open_once_it_is_in_its_room() {
        let protocol = protocol(Envelope::SocketIo, Rooms::Each(3));
        let mut out = Vec::new();
        assert!(protocol.greet(Greeting::Engine, b"hello", 4, &mut out).is_err());
        let mut at = protocol.greeting();
        for payload in [r#"0{"sid":"a"}"#, r#"40{"sid":"b"}"#, r#"42["news"]"#, r#"42["joined"]"#] {
            at = protocol.greet(at.unwrap(), payload.as_bytes(), 4, &mut out).unwrap();
        }
        assert_eq!(at, None);
        let mut said = Vec::new();
        frame::append(&mut said, frame::TEXT, b"40");
        frame::append(&mut said, frame::TEXT, br#"42["join","1"]"#);
        assert_eq!(out, said);
    }

    #[test]
    fn pings_and_ends_of_socket_io_are_no_messages() {
        let protocol = protocol(Envelope::SocketIo, Rooms::None);
        for (payload, is) in [
            ("2", Payload::Ping),
            (r#"42["message","x"]"#, Payload::Message),
            ("41", Payload::End),
            ("1", Payload::End),
            ("6", Payload::Other),
        ] {
            assert_eq!(protocol.read(payload.as_bytes()), is, "{payload}");
        }
    }
}
