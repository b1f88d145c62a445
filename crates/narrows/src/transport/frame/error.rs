use thiserror::Error;

/// What a peer did against RFC 6455 or our limits; the connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit was set that no extension gave a meaning.
    #[error("a reserved bit is set without an extension that uses it")]
    ReservedBits,
    /// An opcode that the protocol does not define.
    #[error("the opcode {0:#x} is reserved")]
    ReservedOpcode(u8),
    /// A client's frame without a mask.
    #[error("a frame from a client must be masked")]
    UnmaskedFrame,
    /// A server's frame with a mask.
    #[error("a frame from a server must not be masked")]
    MaskedFrame,
    /// A ping, pong or close that says that more of it follows.
    #[error("a control frame must not be fragmented")]
    FragmentedControl,
    /// A ping, pong or close of more than 125 bytes.
    #[error("a control frame must not be longer than 125 bytes")]
    ControlTooBig,
    /// A length written in more bytes than it needs.
    #[error("the payload length is not in its shortest form")]
    NonMinimalLength,
    /// A 64-bit length with its highest bit set.
    #[error("the highest bit of the payload length is set")]
    LengthOverflow,
    /// A continuation frame outside a fragmented message.
    #[error("a continuation frame without a message to continue")]
    UnexpectedContinuation,
    /// A text or binary frame before the fragmented message in progress had ended.
    #[error("a new message begins within a fragmented one")]
    InterruptedMessage,
    /// A frame longer than [`FrameLimits::max_frame_bytes`](super::FrameLimits).
    #[error("a frame of {bytes} bytes is over the limit of {limit}")]
    FrameTooBig {
        /// What the frame's header announces.
        bytes: u64,
        /// What is allowed.
        limit: usize,
    },
    /// A message longer than [`FrameLimits::max_message_bytes`](super::FrameLimits).
    #[error("a message of {bytes} bytes or more is over the limit of {limit}")]
    MessageTooBig {
        /// What came so far, with the frame now announced.
        bytes: u64,
        /// What is allowed.
        limit: usize,
    },
    /// A message in more frames than [`FrameLimits::max_fragments`](super::FrameLimits).
    #[error("a message in more than {limit} fragments")]
    TooManyFragments {
        /// What is allowed.
        limit: usize,
    },
    /// A close frame of one byte: neither empty nor with a whole code.
    #[error("a close frame must be empty or begin with a code of two bytes")]
    TruncatedCloseCode,
    /// A close code that may not be sent.
    #[error("the close code {0} may not be sent")]
    InvalidCloseCode(u16),
    /// A text message or close reason that is not UTF-8.
    #[error("text is not valid UTF-8")]
    InvalidUtf8,
}

impl ProtocolError {
    /// The close code that tells the peer.
    pub fn close_code(&self) -> u16 {
        match self {
            Self::InvalidUtf8 => 1007,
            // Too many fragments is 1009 as well: it bounds what one message may cost, and the peer's remedy
            // is that of a message too long. 1008 stays for decisions that an application takes.
            Self::FrameTooBig { .. } | Self::MessageTooBig { .. } | Self::TooManyFragments { .. } => 1009,
            _ => 1002,
        }
    }
}
