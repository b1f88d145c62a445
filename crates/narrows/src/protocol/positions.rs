use std::fmt::Write;

use narrows_core::Position;

/// What a client had last of each group, the newest first: `{group} {position}` in a line each.
///
/// One text that is no longer than what the client sent, as a connection may keep it to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Positions(Box<str>);

impl Positions {
    /// Of several positions of one group the first counts.
    pub(crate) fn new(positions: impl IntoIterator<Item = (String, Position)>) -> Self {
        let mut lines = String::new();
        // No group has such a name.
        let names = |(group, _): &(String, Position)| !group.contains([' ', '\n']);
        for (group, position) in positions.into_iter().filter(names) {
            writeln!(lines, "{group} {position}").expect("a text takes what is written");
        }
        Self(lines.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, group: &str) -> Option<Position> {
        self.0.lines().find_map(|line| position_of(line, group)?.parse().ok())
    }

    #[cfg(test)]
    pub(super) fn kept_bytes(&self) -> usize {
        self.0.len()
    }

    /// Gives a group's position once.
    pub(crate) fn take(&mut self, group: &str) -> Option<Position> {
        let position = self.get(group)?;
        let rest = self.0.split_inclusive('\n').filter(|line| position_of(line, group).is_none());
        self.0 = rest.collect::<String>().into();
        Some(position)
    }
}

fn position_of<'a>(line: &'a str, group: &str) -> Option<&'a str> {
    line.strip_prefix(group)?.strip_prefix(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position { epoch: 0x9f, offset }
    }

    #[test]
    fn each_position_is_given_once_and_of_several_the_first() {
        let named = [("room.b", 7), ("room", 1), ("room.b", 8), ("room b", 2), ("\nroom", 3)];
        let mut positions = Positions::new(named.map(|(group, offset)| (group.to_owned(), at(offset))));
        assert_eq!(
            (positions.get("room.b"), positions.get("roo"), positions.get("")),
            (Some(at(7)), None, None)
        );
        assert_eq!((positions.take("room.b"), positions.take("room.b")), (Some(at(7)), None));
        assert_eq!((positions.take("room"), positions.take("room")), (Some(at(1)), None));
        assert!(positions.is_empty());
    }
}
