use crate::connection::Link;

/// Bytes of the client that are not yet decoded: in the shard's read buffer, or kept aside.
pub(super) enum Input {
    Shared { buffer: Box<[u8]>, filled: usize, at: usize },
    Owned { bytes: Vec<u8>, at: usize },
}

impl Input {
    pub(super) fn shared(buffer: Box<[u8]>, filled: usize) -> Self {
        Self::Shared { buffer, filled, at: 0 }
    }

    pub(super) fn owned(bytes: Vec<u8>) -> Self {
        Self::Owned { bytes, at: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Shared { filled, at, .. } => at == filled,
            Self::Owned { bytes, at } => *at == bytes.len(),
        }
    }

    pub(super) fn rest(&mut self) -> &mut [u8] {
        match self {
            Self::Shared { buffer, filled, at } => &mut buffer[*at..*filled],
            Self::Owned { bytes, at } => &mut bytes[*at..],
        }
    }

    pub(super) fn advance(&mut self, used: usize) {
        match self {
            Self::Shared { at, .. } | Self::Owned { at, .. } => *at += used,
        }
    }

    /// Keeps the rest aside, so that other connections can read while this one's handler waits.
    pub(super) fn settle(&mut self, link: &Link) {
        if let Self::Shared { buffer, filled, at } = self {
            let rest = buffer[*at..*filled].to_vec();
            give_back(self.replace(rest), link);
        }
    }

    /// The shard's buffer, to be given back, when all of it is decoded.
    pub(super) fn take_buffer(&mut self) -> Option<Box<[u8]>> {
        self.replace(Vec::new())
    }

    /// Nothing is left, or wanted.
    pub(super) fn give_back(&mut self, link: &Link) {
        give_back(self.take_buffer(), link);
    }

    /// Goes on with these bytes; the shard's buffer comes out, if it was here.
    fn replace(&mut self, bytes: Vec<u8>) -> Option<Box<[u8]>> {
        match std::mem::replace(self, Self::owned(bytes)) {
            Self::Shared { buffer, .. } => Some(buffer),
            Self::Owned { .. } => None,
        }
    }
}

/// Lets other connections have the shard's buffer, if it is still here.
pub(super) fn give_back(buffer: Option<Box<[u8]>>, link: &Link) {
    if let Some(buffer) = buffer {
        link.shard.local(|state| state.give_back(buffer));
    }
}
