use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Event;

/// Editors write a file in several steps, and people save several files at once.
const QUIET: Duration = Duration::from_millis(60);
/// However much is written, a change is told after this.
const AT_MOST: Duration = Duration::from_secs(1);

/// What changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Something that the program is built of, or reads once when it starts.
    pub(super) program: bool,
    /// A `Cargo.toml` among it.
    pub(super) manifest: bool,
    /// Templates or static files, which it reads when they are needed.
    pub(super) pages: bool,
}

/// Watches the folders of packages. What changes comes as [`Event::Changed`].
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    /// For the thread that sorts what comes.
    told: Sender<Told>,
}

#[derive(Debug)]
enum Told {
    Package(PathBuf),
    Path(PathBuf),
}

impl Watch {
    pub(super) fn new(events: &Sender<Event>) -> Result<Self, notify::Error> {
        let (told, paths) = mpsc::channel();
        let tell = told.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error is one of a single file, such as one that is gone again.
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Access(_)) {
                for path in event.paths {
                    // The other side goes with this one.
                    let _ = tell.send(Told::Path(path));
                }
            }
        })?;
        let events = events.clone();
        thread::spawn(move || sort(&paths, &events));
        Ok(Self { watcher, folders: BTreeSet::new(), told })
    }

    /// Watches a package too: its own files, and the folders where there is something of the program. Not the others:
    /// `target` alone has tens of thousands of files.
    pub(super) fn package(&mut self, folder: &Path) {
        // Paths come as they are asked for: without links there is one way to write them.
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        // Its reader ends with this.
        let _ = self.told.send(Told::Package(folder.clone()));
        self.add(&folder, RecursiveMode::NonRecursive);
        for name in ["src", "templates", "static"] {
            self.add(&folder.join(name), RecursiveMode::Recursive);
        }
    }

    fn add(&mut self, folder: &Path, mode: RecursiveMode) {
        if folder.is_dir() && !self.folders.contains(folder) {
            match self.watcher.watch(folder, mode) {
                Ok(()) => drop(self.folders.insert(folder.to_owned())),
                Err(error) => super::say::trouble(format_args!("changes are not seen: {error}")),
            }
        }
    }
}

/// Gathers what changes at once, and tells it.
fn sort(paths: &mpsc::Receiver<Told>, events: &Sender<Event>) {
    let mut packages: Vec<PathBuf> = Vec::new();
    let (mut changed, mut since) = (Changed::default(), None);
    loop {
        let wait = match since {
            None => Duration::from_secs(3600),
            Some(since) => QUIET.min(AT_MOST.saturating_sub(Instant::elapsed(&since))),
        };
        match paths.recv_timeout(wait) {
            Ok(Told::Package(folder)) => packages.push(folder),
            Ok(Told::Path(path)) => {
                let before = changed;
                for relative in packages.iter().filter_map(|folder| path.strip_prefix(folder).ok()) {
                    changed.add(relative);
                }
                if changed != Changed::default() && (since.is_none() || before != changed) {
                    since = since.or(Some(Instant::now()));
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let changed = std::mem::take(&mut changed);
                if since.take().is_some() && events.send(Event::Changed(changed)).is_err() {
                    return;
                }
            }
        }
    }
}

impl Changed {
    /// Sorts a file, by its path in a package.
    fn add(&mut self, path: &Path) {
        let parts: Option<Vec<&str>> = path
            .components()
            .map(|part| match part {
                Component::Normal(name) => name.to_str().filter(|name| !is_passing(name)),
                _ => None,
            })
            .collect();
        match parts.as_deref() {
            Some(["templates" | "static", ..] | ["src", _, "templates" | "static", ..]) => self.pages = true,
            Some(["Cargo.toml"]) => (self.program, self.manifest) = (true, true),
            Some(["src", ..] | ["build.rs" | "narrows.toml"]) => self.program = true,
            _ => {}
        }
    }
}

/// What an editor puts beside a file for a moment, and what is hidden.
fn is_passing(name: &str) -> bool {
    let ends = ["~", ".swp", ".swx", ".swpx", ".tmp", ".bak", ".orig", "___jb_tmp___", "___jb_old___"];
    // vim tries with this one whether it may write.
    name == "4913" || name.starts_with(['.', '#']) || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(path: &str) -> (bool, bool) {
        let mut changed = Changed::default();
        changed.add(Path::new(path));
        (changed.program, changed.pages)
    }

    #[test]
    fn what_is_compiled_builds_what_is_read_reloads_and_the_rest_does_nothing() {
        for path in [
            "src/lib.rs",
            "src/chat/models.rs",
            "src/chat/migrations/snapshot.json",
            "Cargo.toml",
            "build.rs",
            "narrows.toml",
        ] {
            assert_eq!(changed(path), (true, false), "{path}");
        }
        for path in
            ["templates/base.html", "static/site.css", "src/chat/templates/chat/room.html", "src/chat/static"]
        {
            assert_eq!(changed(path), (false, true), "{path}");
        }
        for path in [
            "",
            "target/debug/mysite",
            "data/db.sqlite3",
            "Cargo.lock",
            "README.md",
            ".git/index",
            "src/.lib.rs.swp",
            "src/lib.rs~",
            "src/4913",
            "src/#lib.rs#",
            "templates/.base.html.kate-swp",
        ] {
            assert_eq!(changed(path), (false, false), "{path}");
        }
    }
}
