use super::{Mask, ProtocolError, Role};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further piece of a fragmented message.
    Continuation = 0x0,
    /// A text message, or its first piece.
    Text = 0x1,
    /// A binary message, or its first piece.
    Binary = 0x2,
    /// The end of the connection.
    Close = 0x8,
    /// A question whether the peer is there.
    Ping = 0x9,
    /// The answer to a ping.
    Pong = 0xa,
}

impl Opcode {
    /// Whether this is a ping, pong or close.
    pub fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }

    fn from_bits(bits: u8) -> Result<Self, ProtocolError> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return Err(ProtocolError::ReservedOpcode(bits)),
        })
    }
}

/// The longest header: two bytes, a length of eight, a key of four.
const MAX_HEADER_BYTES: usize = 14;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Mask,
    pub(super) payload_len: u64,
}

impl Header {
    /// Reads a header and its own length from the front of `bytes`; `None` if it is not all there yet.
    ///
    /// Each byte is judged as soon as it is there and in the same order, so the verdict does not depend on
    /// how the bytes were cut.
    #[inline]
    fn parse(bytes: &[u8], role: Role) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        // permessage-deflate will let 0x40 (RSV1) through here, for the first frame of a data message.
        if first & 0x70 != 0 {
            return Err(ProtocolError::ReservedBits);
        }
        let opcode = Opcode::from_bits(first & 0x0f)?;
        let fin = first & 0x80 != 0;
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControl);
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        match (role, second & 0x80 != 0) {
            (Role::Server, false) => return Err(ProtocolError::UnmaskedFrame),
            (Role::Client, true) => return Err(ProtocolError::MaskedFrame),
            _ => {}
        }
        let Some((payload_len, rest)) = parse_len(second & 0x7f, &bytes[2..])? else { return Ok(None) };
        if opcode.is_control() && payload_len > 125 {
            return Err(ProtocolError::ControlTooBig);
        }
        let (mask, rest) = match role {
            Role::Client => (Mask::NONE, rest),
            Role::Server => match rest.split_first_chunk() {
                Some((key, rest)) => (Mask::new(*key), rest),
                None => return Ok(None),
            },
        };
        Ok(Some((Self { fin, opcode, mask, payload_len }, bytes.len() - rest.len())))
    }
}

/// The payload's length and what follows it; `None` if it is not all there yet.
#[inline]
fn parse_len(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    let (len, least, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), 1 << 16, rest),
            None => return Ok(None),
        },
        short => return Ok(Some((u64::from(short), rest))),
    };
    if len >> 63 != 0 {
        return Err(ProtocolError::LengthOverflow);
    }
    if len < least {
        return Err(ProtocolError::NonMinimalLength);
    }
    Ok(Some((len, rest)))
}

/// The beginning of a header whose rest is still to come; inline, as any read may end in one.
#[derive(Debug, Default)]
pub(super) struct HeaderBuffer {
    bytes: [u8; MAX_HEADER_BYTES],
    len: u8,
}

impl HeaderBuffer {
    /// Takes a header, or all of a part of one, from the front of `input`; says how much that was.
    #[inline]
    pub(super) fn read(
        &mut self,
        input: &[u8],
        role: Role,
    ) -> Result<(usize, Option<Header>), ProtocolError> {
        if self.len == 0
            && let Some((header, used)) = Header::parse(input, role)?
        {
            return Ok((used, Some(header)));
        }
        self.read_in_parts(input, role)
    }

    fn read_in_parts(&mut self, input: &[u8], role: Role) -> Result<(usize, Option<Header>), ProtocolError> {
        let had = usize::from(self.len);
        let have = MAX_HEADER_BYTES.min(had + input.len());
        self.bytes[had..have].copy_from_slice(&input[..have - had]);
        match Header::parse(&self.bytes[..have], role)? {
            Some((header, header_len)) => {
                self.len = 0;
                Ok((header_len - had, Some(header)))
            }
            None => {
                self.len = u8::try_from(have).expect("a header has at most 14 bytes");
                Ok((have - had, None))
            }
        }
    }
}
