use clap::ValueEnum;

use super::frame;
use super::sequence::{self, DIGITS};

/// How a message is written, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Envelope {
    /// {"message": "…"}
    Json,
    /// The text alone.
    Text,
    /// Socket.IO 4 over a bare WebSocket: 42["message","…"].
    SocketIo,
}

/// A finished frame in which only the sequence number changes.
#[derive(Debug)]
pub(super) struct Template {
    frame: Vec<u8>,
    /// Where the digits are: in the frame, and in its payload.
    digits: (usize, usize),
}

impl Envelope {
    /// All messages of a run, with a text of so many bytes.
    pub(super) fn template(self, bytes: usize) -> Template {
        let text = sequence::text(bytes);
        let payload = match self {
            Self::Json => format!(r#"{{"message": "{text}"}}"#),
            Self::Text => text,
            Self::SocketIo => format!(r#"42["message","{text}"]"#),
        };
        let mut frame = Vec::new();
        frame::append(&mut frame, frame::TEXT, payload.as_bytes());
        let in_payload = payload.find('#').expect("a text starts with its mark") + 1;
        Template { digits: (frame.len() - payload.len() + in_payload, in_payload), frame }
    }
}

impl Template {
    /// Appends the frame of one message.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, number: u64) {
        let (in_frame, in_payload) = self.digits;
        let place = &mut self.frame[in_frame..in_frame + DIGITS];
        for (at, (byte, digit)) in place.iter_mut().zip(sequence::digits(number)).enumerate() {
            *byte = frame::masked(digit, in_payload + at);
        }
        out.extend_from_slice(&self.frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_differs_from_the_next_in_its_number_only() {
        for (envelope, start) in [
            (Envelope::Json, r##"{"message": "#"##),
            (Envelope::Text, ""),
            (Envelope::SocketIo, r##"42["message","#"##),
        ] {
            let mut template = envelope.template(200);
            for number in [7, u64::MAX, 0] {
                let mut out = Vec::new();
                template.append(&mut out, number);
                // The mask is its own inverse.
                let payload: Vec<_> =
                    out[8..].iter().enumerate().map(|(at, b)| frame::masked(*b, at)).collect();
                assert!(payload.starts_with(start.as_bytes()));
                assert_eq!(sequence::number(&payload), Some(number));
            }
        }
    }
}
