use std::ops::Range;

use super::ProtocolError;
use super::close::parse_close;
use super::header::{Header, HeaderBuffer, Opcode};
use super::partial::{Content, Frame, Partial};

/// Which end of the connection decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Expects masked frames.
    Server,
    /// Expects frames without a mask.
    Client,
}

/// What a peer may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameLimits {
    /// Largest payload of one data frame, in bytes; refused by its header, before the payload comes.
    pub max_frame_bytes: usize,
    /// Largest data message, in bytes, all its fragments together; refused likewise.
    pub max_message_bytes: usize,
    /// Most frames that a fragmented message may come in.
    pub max_fragments: usize,
}

/// Something complete that a peer sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping; its bytes belong into the answer.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The peer's close frame, with its code and reason if it gave them. Nothing may follow.
    Close(Option<(u16, &'a str)>),
}

/// Turns the bytes that a peer sent into messages.
///
/// ```ignore
/// let mut rest = &mut read_buffer[..n];
/// while let (used, Some(item)) = decoder.decode(rest, &limits)? {
///     handle(item);
///     rest = &mut rest[used..];
/// }
/// ```
///
/// The call that returns no item has used all its input. Each call gives back the memory of the last message, and so
/// does [`release`](Self::release), for when there is nothing to decode. After an error or
/// [`Item::Close`] the connection is over and what further calls return means nothing: drop the decoder.
#[derive(Debug)]
pub struct Decoder {
    partial: Option<Box<Partial>>,
    header: HeaderBuffer,
    role: Role,
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new(role: Role) -> Self {
        Self { partial: None, header: HeaderBuffer::default(), role }
    }

    /// Takes bytes from the front of `input`, unmasking them where they lie; says how many, and hands out an
    /// item if one is complete.
    ///
    /// # Errors
    ///
    /// If the peer broke a rule of the protocol or a limit. It shows with the first byte that gives it away,
    /// and only after all items before it were handed out.
    pub fn decode<'a>(
        &'a mut self,
        input: &'a mut [u8],
        limits: &FrameLimits,
    ) -> Result<(usize, Option<Item<'a>>), ProtocolError> {
        self.release();
        let (used, ready) = self.advance(input, limits)?;
        let item = match ready {
            None => None,
            Some(Ready::InPlace(opcode, range)) => Some(whole_item(opcode, &input[range])?),
            Some(Ready::Collected(opcode)) => Some(self.collected_item(opcode)?),
        };
        Ok((used, item))
    }

    /// Gives back the memory of the last message, if it is complete.
    pub fn release(&mut self) {
        if self.partial.as_ref().is_some_and(|partial| partial.finished) {
            self.partial = None;
        }
    }

    /// The heap memory that unfinished messages hold now.
    pub fn heap_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.heap_bytes())
    }

    /// Reads frames until one completes an item or the input ends.
    // The item itself is made by the caller: it borrows, and a loop could not go on past a borrow.
    fn advance(
        &mut self,
        input: &mut [u8],
        limits: &FrameLimits,
    ) -> Result<(usize, Option<Ready>), ProtocolError> {
        let mut used = 0;
        loop {
            let mut frame = match self.partial.as_mut().and_then(|partial| partial.frame.take()) {
                Some(frame) => frame,
                None => {
                    let (header_len, header) = self.header.read(&input[used..], self.role)?;
                    used += header_len;
                    match header {
                        Some(header) => self.admit(&header, limits)?,
                        None => return Ok((used, None)),
                    }
                }
            };

            let arrived = used..used + frame.remaining.min(input.len() - used);
            used = arrived.end;
            frame.remaining -= arrived.len();
            frame.mask.apply(&mut input[arrived.clone()]);

            if frame.remaining > 0 {
                let partial = self.partial.get_or_insert_with(|| Box::new(Partial::new()));
                // A header without payload leaves nothing to collect: the payload may yet come in one piece.
                if !arrived.is_empty() {
                    partial.collect(&mut frame, &input[arrived])?;
                }
                partial.frame = Some(frame);
                return Ok((used, None));
            }
            if frame.stands_alone() && !frame.collected {
                self.partial.take_if(|partial| partial.message.is_none());
                return Ok((used, Some(Ready::InPlace(frame.opcode, arrived))));
            }
            let partial = self.partial.get_or_insert_with(|| Box::new(Partial::new()));
            partial.collect(&mut frame, &input[arrived])?;
            if frame.fin {
                return Ok((used, Some(Ready::Collected(frame.opcode))));
            }
        }
    }

    /// Decides by its header whether a frame may come now.
    fn admit(&self, header: &Header, limits: &FrameLimits) -> Result<Frame, ProtocolError> {
        let bytes = header.payload_len;
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        let (had, fragments) = match (header.opcode, message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(ProtocolError::InterruptedMessage),
            (Opcode::Text | Opcode::Binary, None) => (0, 0),
            (Opcode::Continuation, Some(message)) => (message.content.len(), message.fragments),
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {
                // At most 125 bytes, as the header's parser made sure.
                return Ok(Frame::new(header, usize::try_from(bytes).unwrap_or_default()));
            }
        };
        let len = match usize::try_from(bytes) {
            Ok(len) if len <= limits.max_frame_bytes => len,
            _ => return Err(ProtocolError::FrameTooBig { bytes, limit: limits.max_frame_bytes }),
        };
        if len > limits.max_message_bytes.saturating_sub(had) {
            let bytes = bytes.saturating_add(had as u64);
            return Err(ProtocolError::MessageTooBig { bytes, limit: limits.max_message_bytes });
        }
        let fragmented = fragments > 0 || !header.fin;
        if fragmented && fragments >= limits.max_fragments {
            return Err(ProtocolError::TooManyFragments { limit: limits.max_fragments });
        }
        Ok(Frame::new(header, len))
    }

    /// Hands out what the partial state has collected, and marks it for release where it is done with.
    fn collected_item(&mut self, opcode: Opcode) -> Result<Item<'_>, ProtocolError> {
        let partial = self.partial.as_mut().expect("a collected item has a partial state");
        if opcode.is_control() {
            partial.finished = partial.message.is_none();
            return whole_item(opcode, partial.control());
        }
        partial.finished = true;
        match &partial.message.as_ref().expect("a collected data frame has a message").content {
            Content::Text(text) => text.finish().map(Item::Text),
            Content::Binary(bytes) => Ok(Item::Binary(bytes)),
        }
    }
}

/// An item that is complete, and where its payload lies.
enum Ready {
    /// In the input.
    InPlace(Opcode, Range<usize>),
    /// In the partial state, by the frame that ended it.
    Collected(Opcode),
}

/// Makes an item of a frame that stands alone.
fn whole_item(opcode: Opcode, payload: &[u8]) -> Result<Item<'_>, ProtocolError> {
    Ok(match opcode {
        Opcode::Text => Item::Text(str::from_utf8(payload).map_err(|_| ProtocolError::InvalidUtf8)?),
        Opcode::Binary | Opcode::Continuation => Item::Binary(payload),
        Opcode::Ping => Item::Ping(payload),
        Opcode::Pong => Item::Pong(payload),
        Opcode::Close => Item::Close(parse_close(payload)?),
    })
}
