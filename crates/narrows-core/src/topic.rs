use std::fmt;
use std::sync::Arc;

/// Whether a [`Topic`] is a group or a single channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopicKind {
    /// Everyone who joined receives it.
    Group,
    /// One receiver.
    Channel,
}

/// The untyped name under which a channel layer carries messages: that of a group or of a channel.
///
/// ```
/// use narrows_core::{Group, TopicKind};
///
/// let topic = Group::<()>::new("room.lobby")?.topic();
/// assert_eq!((topic.kind(), topic.name()), (TopicKind::Group, "room.lobby"));
/// # Ok::<(), narrows_core::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    kind: TopicKind,
    name: Arc<str>,
}

impl Topic {
    pub(crate) fn group(name: Arc<str>) -> Self {
        Self { kind: TopicKind::Group, name }
    }

    pub(crate) fn channel(name: Arc<str>) -> Self {
        Self { kind: TopicKind::Channel, name }
    }

    /// Group or channel.
    pub fn kind(&self) -> TopicKind {
        self.kind
    }

    /// The name, which keeps the rule of [`Group::new`](crate::Group::new) or
    /// [`Channel::new`](crate::Channel::new).
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TopicKind::Group => "group",
            TopicKind::Channel => "channel",
        };
        write!(f, "{kind} {}", self.name)
    }
}
