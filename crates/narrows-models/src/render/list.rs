//! `migrations![…]` and the `mod` lines beside it, changed in place.

use std::ops::Range;

use crate::render::scan::blanked;

/// Why a list cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The macro is not there, or more than once.
    #[error("`migrations!` is in it {0} times, and not once")]
    Macro(usize),
    /// The macro holds something else than names.
    #[error("`migrations!` holds {0:?}, which is no name of a module")]
    Name(String),
    /// The module is there already.
    #[error("it has the module `{0}` already")]
    Taken(String),
}

/// A file with the macro in it.
#[derive(Debug)]
pub(crate) struct List<'a> {
    text: &'a str,
    blanked: String,
    /// The whole macro, with the path before it.
    whole: Range<usize>,
    /// What is between its brackets.
    inside: Range<usize>,
    /// The names there.
    pub(crate) names: Vec<&'a str>,
}

impl<'a> List<'a> {
    /// Finds the macro.
    pub(crate) fn find(text: &'a str) -> Result<Self, ListError> {
        let blanked = blanked(text);
        let found: Vec<(Range<usize>, Range<usize>)> =
            blanked.match_indices("migrations").filter_map(|(at, _)| invocation(&blanked, at)).collect();
        let [(whole, inside)] = &found[..] else { return Err(ListError::Macro(found.len())) };
        let mut names = Vec::new();
        let mut at = inside.start;
        for part in blanked[inside.clone()].split(',') {
            let name = part.trim();
            let start = at + (part.len() - part.trim_start().len());
            if !name.is_empty() {
                let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if !is_name {
                    return Err(ListError::Name(text[start..start + name.len()].to_owned()));
                }
                names.push(&text[start..start + name.len()]);
            }
            at += part.len() + 1;
        }
        Ok(Self { text, whole: whole.clone(), inside: inside.clone(), names, blanked })
    }

    /// The file with these modules at the end of the list.
    pub(crate) fn with(&self, modules: &[String]) -> Result<String, ListError> {
        let mut lines = String::new();
        for module in modules {
            if self.names.contains(&module.as_str()) || self.module_lines().any(|(_, name)| name == module) {
                return Err(ListError::Taken(module.clone()));
            }
            lines.push_str(&format!("mod {module};\n"));
        }
        let mut text = self.text.to_owned();
        // From the end to the start, so that places stay.
        let (at, line) = self.place(|name| name.starts_with('m'), lines);
        let list = (self.inside.clone(), self.longer(modules));
        let mut changes = [list, (at..at, line)];
        changes.sort_by_key(|(range, _)| usize::MAX - range.start);
        for (range, new) in changes {
            text.replace_range(range, &new);
        }
        Ok(text)
    }

    /// The file with a module `migrations`, and its function `all` in the place of the macro.
    pub(crate) fn moved(&self) -> Result<String, ListError> {
        if self.module_lines().any(|(_, name)| name == "migrations") {
            return Err(ListError::Taken("migrations".to_owned()));
        }
        let (at, line) = self.place(|_| true, "mod migrations;\n".to_owned());
        let mut changes = vec![(self.whole.clone(), "migrations::all()".to_owned()), (at..at, line)];
        changes.extend(self.import().map(|import| (import, String::new())));
        // What goes at a place before what comes there.
        changes.sort_by_key(|(range, _)| (usize::MAX - range.start, usize::MAX - range.end));
        let mut text = self.text.to_owned();
        for (range, new) in changes {
            text.replace_range(range, &new);
        }
        Ok(text)
    }

    /// The macro's name where it is imported, which nothing uses once the macro is gone.
    fn import(&self) -> Option<Range<usize>> {
        const NAME: &str = "migrations";
        let text = &self.blanked;
        if !text[self.whole.clone()].starts_with(NAME) {
            return None;
        }
        text.match_indices(NAME).find_map(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + NAME.len()..]);
            let start = before.rfind([';', '}']).map_or(0, |end| end + 1);
            let start = start + (text[start..].len() - text[start..].trim_start().len());
            if !text[start..].starts_with("use ") {
                return None;
            }
            let (left, right) = (before.trim_end(), after.trim_start());
            let rest = text.len() - right.len();
            if left.ends_with("::") && right.starts_with(';') {
                let newline = usize::from(text[rest + 1..].starts_with('\n'));
                return Some(start..rest + 1 + newline);
            }
            match (left.ends_with(['{', ',']), right.chars().next()?) {
                (true, ',') => Some(at..text.len() - text[rest + 1..].trim_start_matches(' ').len()),
                (true, '}') if left.ends_with(',') => Some(left.len() - 1..at + NAME.len()),
                _ => None,
            }
        })
    }

    /// What the file calls this crate.
    pub(crate) fn path(&self) -> String {
        let before = self.blanked[self.whole.clone()].split("migrations").next().unwrap_or_default();
        let path: String = before.split_whitespace().collect::<String>();
        let path = path.trim_end_matches("::");
        let rooted = !["", "self", "super"].contains(&path) && !path.starts_with("super::");
        if rooted {
            return path.to_owned();
        }
        let known = ["narrows_web::models", "narrows_models"];
        known.into_iter().find(|path| self.blanked.contains(path)).unwrap_or("narrows_models").to_owned()
    }

    /// The `mod name;` lines that begin a line: the end of the line, the name.
    fn module_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut at = 0;
        self.blanked.split_inclusive('\n').filter_map(move |line| {
            at += line.len();
            let rest = match line.strip_prefix("pub") {
                Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
                Some(rest) => rest.strip_prefix(' ')?,
                None => line,
            };
            let name = rest.strip_prefix("mod ")?.trim_end().strip_suffix(';')?.trim();
            Some((at, name))
        })
    }

    /// Where a `mod` line goes: after the last of those wanted, or before all items.
    fn place(&self, wanted: impl Fn(&str) -> bool, lines: String) -> (usize, String) {
        if let Some((end, _)) = self.module_lines().filter(|(_, name)| wanted(name)).last() {
            let newline = if self.text[..end].ends_with('\n') { "" } else { "\n" };
            return (end, format!("{newline}{lines}"));
        }
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            let trimmed = line.trim();
            if !(trimmed.is_empty() || trimmed.starts_with("//!") || trimmed.starts_with("#![")) {
                break;
            }
            at += line.len();
        }
        let header = self.text[..at].trim_end().len();
        let gap = if header > 0 && at > header && self.text[header..at].matches('\n').count() < 2 {
            "\n"
        } else {
            ""
        };
        let follows =
            if self.text[at..].starts_with("mod ") || self.text[at..].is_empty() { "" } else { "\n" };
        (at, format!("{gap}{lines}{follows}"))
    }

    /// The inside of the brackets with these at its end.
    fn longer(&self, modules: &[String]) -> String {
        let inside = &self.text[self.inside.clone()];
        let plain = inside == &self.blanked[self.inside.clone()];
        if !plain {
            // Comments stay where they are.
            let added: String = modules.iter().map(|module| format!(" {module},")).collect();
            let last = self.blanked[self.inside.clone()].trim_end().len();
            let comma = if self.blanked[self.inside.clone()][..last].ends_with(',') || self.names.is_empty() {
                ""
            } else {
                ","
            };
            return format!("{}{comma}{added}{}", &inside[..last], &inside[last..]);
        }
        let names: Vec<&str> = self.names.iter().copied().chain(modules.iter().map(String::as_str)).collect();
        let line = names.join(", ");
        let start = self.text[..self.inside.start].rfind('\n').map_or(0, |at| at + 1);
        if line.len() <= 60 && self.inside.start - start + line.len() < 98 {
            return line;
        }
        let first = &self.text[start..];
        let indent = &first[..first.len() - first.trim_start_matches([' ', '\t']).len()];
        let lines: String = names.iter().map(|name| format!("{indent}    {name},\n")).collect();
        format!("\n{lines}{indent}")
    }
}

/// The macro whose name is at this place: the whole of it, and what is between its brackets.
fn invocation(blanked: &str, at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let name_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if at > 0 && name_part(blanked.as_bytes()[at - 1]) {
        return None;
    }
    let after = &blanked[at + "migrations".len()..];
    let rest = after.trim_start().strip_prefix('!')?.trim_start();
    let open = blanked.len() - rest.len();
    let (opening, closing) = match rest.bytes().next()? {
        b'[' => (b'[', b']'),
        b'(' => (b'(', b')'),
        b'{' => (b'{', b'}'),
        _ => return None,
    };
    let mut depth = 0_usize;
    let length = rest.bytes().position(|byte| {
        depth += usize::from(byte == opening);
        depth -= usize::from(byte == closing);
        depth == 0
    })?;
    let path = |byte: u8| name_part(byte) || byte == b':';
    let start = blanked[..at].bytes().rposition(|byte| !path(byte)).map_or(0, |before| before + 1);
    Some((start..open + length + 1, open + 1..open + length))
}
