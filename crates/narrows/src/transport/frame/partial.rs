use super::header::{Header, Opcode};
use super::text::TextBuffer;
use super::{Mask, ProtocolError};

/// The longest payload of a control frame.
const MAX_CONTROL_BYTES: usize = 125;

/// The memory that a message may get beyond twice of what came of it.
const MAX_UNPAID_BYTES: usize = 1024;

/// What a decoder keeps of a message, or a frame, that is not all there yet.
#[derive(Debug)]
pub(super) struct Partial {
    /// The frame whose payload is still arriving.
    pub(super) frame: Option<Frame>,
    /// The data message whose frames are still arriving.
    pub(super) message: Option<Message>,
    /// The message was handed out; nothing here is needed any more.
    pub(super) finished: bool,
    control: [u8; MAX_CONTROL_BYTES],
    control_len: u8,
}

impl Partial {
    pub(super) fn new() -> Self {
        Self { frame: None, message: None, finished: false, control: [0; MAX_CONTROL_BYTES], control_len: 0 }
    }

    /// Appends the next bytes, unmasked, of a frame's payload.
    pub(super) fn collect(&mut self, frame: &mut Frame, payload: &[u8]) -> Result<(), ProtocolError> {
        let first_piece = !std::mem::replace(&mut frame.collected, true);
        if frame.opcode.is_control() {
            if first_piece {
                self.control_len = 0;
            }
            self.collect_control(payload);
            return Ok(());
        }
        let message = self.message.get_or_insert_with(|| Message::new(frame.opcode));
        if first_piece {
            message.fragments += 1;
        }
        if frame.fin {
            message.content.make_room(payload.len(), frame.remaining);
        }
        message.content.push(payload)
    }

    fn collect_control(&mut self, payload: &[u8]) {
        let had = usize::from(self.control_len);
        let have = had + payload.len();
        self.control[had..have].copy_from_slice(payload);
        self.control_len = u8::try_from(have).expect("a control frame has at most 125 bytes");
    }

    pub(super) fn control(&self) -> &[u8] {
        &self.control[..usize::from(self.control_len)]
    }

    /// The heap memory behind this, its own box among it.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.message.as_ref().map_or(0, |message| message.content.capacity())
    }
}

/// A frame and how far its payload has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) opcode: Opcode,
    pub(super) fin: bool,
    pub(super) mask: Mask,
    /// Bytes of the payload still to come, those at hand not counted.
    pub(super) remaining: usize,
    /// Some of the payload is in the partial state, so the rest must go there as well.
    pub(super) collected: bool,
}

impl Frame {
    pub(super) fn new(header: &Header, payload_len: usize) -> Self {
        let &Header { opcode, fin, mask, .. } = header;
        Self { opcode, fin, mask, remaining: payload_len, collected: false }
    }

    /// Whether the frame is all of a message, so that its payload need not be collected to hand it out.
    pub(super) fn stands_alone(&self) -> bool {
        self.fin && self.opcode != Opcode::Continuation
    }
}

/// A data message and how far it has come.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) content: Content,
    /// Frames begun.
    pub(super) fragments: usize,
}

impl Message {
    fn new(opcode: Opcode) -> Self {
        let content = match opcode {
            Opcode::Text => Content::Text(TextBuffer::default()),
            _ => Content::Binary(Vec::new()),
        };
        Self { content, fragments: 0 }
    }
}

#[derive(Debug)]
pub(super) enum Content {
    Text(TextBuffer),
    Binary(Vec<u8>),
}

impl Content {
    /// Before the next bytes of the last frame, whose end is known: grows to that end, but not far beyond
    /// what came. An announcement alone must not take memory; an exact fit saves a last regrowth.
    fn make_room(&mut self, arriving: usize, announced: usize) {
        let (len, needed) = (self.len(), self.len() + arriving);
        if needed <= self.capacity() {
            return;
        }
        let room = announced.min(needed + MAX_UNPAID_BYTES);
        match self {
            Self::Text(text) => text.reserve_exact(needed - len + room),
            Self::Binary(bytes) => bytes.reserve_exact(needed - len + room),
        }
    }

    fn push(&mut self, payload: &[u8]) -> Result<(), ProtocolError> {
        match self {
            Self::Text(text) => text.push(payload),
            Self::Binary(bytes) => {
                bytes.extend_from_slice(payload);
                Ok(())
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Binary(bytes) => bytes.capacity(),
        }
    }
}
