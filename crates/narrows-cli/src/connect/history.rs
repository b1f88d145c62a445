use std::collections::VecDeque;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Lines that are kept, and the longest of them: others are not.
const MAX_LINES: usize = 1000;
const MAX_LINE_BYTES: usize = 16 << 10;

/// The part of the file that is read, its end; beyond this it is made smaller.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What was typed, in this session and earlier ones.
///
/// The file has one line for each, with `\n` for a line end and `\\` for a backslash. Each is appended when it is
/// typed, so that several sessions share the file and none is lost with its terminal.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    path: Option<PathBuf>,
    /// How far up the user is, and what was being typed before.
    at: Option<(usize, String)>,
}

impl History {
    /// `$XDG_STATE_HOME/narrows/connect_history`, or the same under `~/.local/state`
    /// (XDG Base Directory Specification 0.8).
    pub(super) fn usual_path() -> Option<PathBuf> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
        Some(state.join("narrows/connect_history"))
    }

    /// The history in this file, which need not be there yet.
    ///
    /// # Errors
    ///
    /// The file is there, and cannot be read.
    pub(super) fn load(path: PathBuf) -> io::Result<Self> {
        let mut history = Self::default();
        match OpenOptions::new().read(true).open(&path) {
            Ok(file) => history.read(file, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        history.path = Some(path);
        Ok(history)
    }

    fn read(&mut self, mut file: File, path: &Path) -> io::Result<()> {
        let length = file.metadata()?.len();
        let start = length.saturating_sub(MAX_FILE_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        // The first line may be cut.
        let lines: Vec<_> = text.lines().skip(usize::from(start > 0)).collect();
        for line in &lines {
            self.keep(unescaped(line));
        }
        if start > 0 || lines.len() > 2 * MAX_LINES {
            self.rewrite(path)?;
        }
        Ok(())
    }

    /// Takes a line in, unless it is the last one again.
    ///
    /// # Errors
    ///
    /// The file cannot be written; the line is in this session's history all the same.
    pub(super) fn add(&mut self, line: &str) -> io::Result<()> {
        self.at = None;
        if line.trim().is_empty()
            || line.len() > MAX_LINE_BYTES
            || self.lines.back().is_some_and(|l| l == line)
        {
            return Ok(());
        }
        self.keep(line.to_owned());
        match &self.path {
            // As in shells: what begins with a space is not to be found later.
            Some(path) if !line.starts_with(' ') => append(path, &format!("{}\n", escaped(line))),
            _ => Ok(()),
        }
    }

    /// Writes no file from now on.
    pub(super) fn forget_file(&mut self) {
        self.path = None;
    }

    /// The line before; `current` is what is in the editor.
    pub(super) fn up(&mut self, current: &str) -> Option<&str> {
        let at = self.at.as_ref().map_or(self.lines.len(), |(at, _)| *at).checked_sub(1)?;
        match &mut self.at {
            Some((now, _)) => *now = at,
            none => *none = Some((at, current.to_owned())),
        }
        self.lines.get(at).map(String::as_str)
    }

    /// The line after, at last what was being typed.
    pub(super) fn down(&mut self) -> Option<String> {
        let (at, draft) = self.at.take()?;
        match self.lines.get(at + 1) {
            Some(line) => {
                self.at = Some((at + 1, draft));
                Some(line.clone())
            }
            None => Some(draft),
        }
    }

    /// Back to the line that is being typed, which is a new one.
    pub(super) fn rest(&mut self) {
        self.at = None;
    }

    fn keep(&mut self, line: String) {
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// A new file takes the place of the old one, so that nobody sees half of it.
    fn rewrite(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let text: String = self.lines.iter().map(|line| format!("{}\n", escaped(line))).collect();
        append(&beside, &text)?;
        fs::rename(&beside, path)
    }
}

/// What is typed may be secret: it is for its owner only.
fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    file.write_all(text.as_bytes())
}

fn escaped(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            c => c,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("narrows-history-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> PathBuf {
            self.0.join("state/narrows/connect_history")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn what_was_typed_is_there_the_next_time_and_for_its_owner_only() {
        let folder = Folder::new("next");
        let mut history = History::load(folder.file()).unwrap();
        for line in ["one", "one", " secret", "", "two\nlines \\n \\"] {
            history.add(line).unwrap();
        }
        let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut later = History::load(folder.file()).unwrap();
        assert_eq!(later.up(""), Some("two\nlines \\n \\"));
        assert_eq!(later.up(""), Some("one"));
        assert_eq!(later.up(""), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_closed_to_them() {
        let folder = Folder::new("mode");
        fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
        fs::write(folder.file(), "one\n").unwrap();
        fs::set_permissions(folder.file(), Permissions::from_mode(0o644)).unwrap();
        History::load(folder.file()).unwrap().add("two").unwrap();
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn neither_the_list_nor_the_file_grows_without_end() {
        let folder = Folder::new("bound");
        fs::create_dir_all(folder.file().parent().unwrap()).unwrap();
        let line = "x".repeat(100);
        let text: String = (0..20_000).map(|number| format!("{number} {line}\n")).collect();
        fs::write(folder.file(), text).unwrap();
        let mut history = History::load(folder.file()).unwrap();
        assert_eq!(history.lines.len(), MAX_LINES);
        let text = fs::read_to_string(folder.file()).unwrap();
        assert_eq!(text.lines().count(), MAX_LINES);
        assert!(text.starts_with("19000 ") && text.ends_with(&format!("19999 {line}\n")));
        history.add(&"y".repeat(MAX_LINE_BYTES + 1)).unwrap();
        history.add("last").unwrap();
        assert_eq!(history.lines.len(), MAX_LINES);
        assert_eq!(fs::read_to_string(folder.file()).unwrap().lines().count(), MAX_LINES + 1);
    }

    #[test]
    fn what_was_being_typed_comes_back() {
        let mut history = History::default();
        assert_eq!(history.up("draft"), None);
        assert_eq!(history.down(), None);
        history.add("one").unwrap();
        history.add("two").unwrap();
        assert_eq!(history.up("draft"), Some("two"));
        assert_eq!(history.up("two"), Some("one"));
        assert_eq!(history.down().as_deref(), Some("two"));
        assert_eq!(history.down().as_deref(), Some("draft"));
        assert_eq!(history.down(), None);
    }
}
