use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Event;

/// Editors write a file in several steps, and people save several files at once.
const QUIET: Duration = Duration::from_millis(60);
/// However much is written, a change is told after this.
const AT_MOST: Duration = Duration::from_secs(1);

/// So many paths wait to be sorted.
const WAITING: usize = 4096;

/// What changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// Something that the program is built of, or reads once when it starts.
    pub(super) program: bool,
    /// A `Cargo.toml` among it.
    pub(super) manifest: bool,
    /// Templates or static files, which it reads when they are needed.
    pub(super) pages: bool,
    /// A folder that is watched came or went: the one of this name that is there now is another.
    pub(super) folders: bool,
}

/// The folders of a package where there is something of the program.
const FOLDERS: [&str; 3] = ["src", "templates", "static"];

/// Watches the folders of packages. What changes comes as [`Event::Changed`].
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    /// For the thread that sorts what comes.
    told: SyncSender<Told>,
}

#[derive(Debug)]
enum Told {
    Package(PathBuf),
    Path(PathBuf),
    /// More than the system could say.
    Much,
}

impl Watch {
    pub(super) fn new(events: &Sender<Event>) -> Result<Self, notify::Error> {
        // What does not fit in waits in the system, which says so when that is too much.
        let (told, paths) = mpsc::sync_channel(WAITING);
        let tell = told.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let event = match event {
                Ok(event) => event,
                Err(error) => return missed(&error),
            };
            let told = event.paths.iter().cloned().map(Told::Path);
            let much = event.need_rescan().then_some(Told::Much);
            if !matches!(event.kind, EventKind::Access(_)) {
                for told in told.chain(much) {
                    // The other side goes with this one.
                    let _ = tell.send(told);
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
        for name in FOLDERS {
            self.add(&folder.join(name), RecursiveMode::Recursive);
        }
    }

    fn add(&mut self, folder: &Path, mode: RecursiveMode) {
        if folder.is_dir() && !self.folders.contains(folder) {
            match self.watcher.watch(folder, mode) {
                Ok(()) => drop(self.folders.insert(folder.to_owned())),
                Err(error) => missed(&error),
            }
        }
    }

    /// Forgets which folders are watched: those that are there now may be others of the same names.
    pub(super) fn anew(&mut self) {
        self.folders.clear();
    }
}

fn missed(error: &notify::Error) {
    match error.kind {
        ErrorKind::MaxFilesWatch => super::say::trouble(format_args!(
            "changes are not seen: {error}; raise the limit: sysctl fs.inotify.max_user_watches=524288"
        )),
        _ => super::say::trouble(format_args!("changes are not seen: {error}")),
    }
}

/// Gathers what changes at once, and tells it.
fn sort(paths: &mpsc::Receiver<Told>, events: &Sender<Event>) {
    let mut packages = BTreeSet::new();
    let (mut changed, mut since) = (Changed::default(), None);
    loop {
        let wait = match since {
            None => Duration::from_secs(3600),
            Some(since) => QUIET.min(AT_MOST.saturating_sub(Instant::elapsed(&since))),
        };
        // Without time left nothing more is taken in: there may always be more.
        let told = if wait.is_zero() { Err(RecvTimeoutError::Timeout) } else { paths.recv_timeout(wait) };
        let before = changed;
        match told {
            Ok(Told::Package(folder)) => drop(packages.insert(folder)),
            Ok(Told::Path(path)) => {
                for relative in packages.iter().filter_map(|folder| path.strip_prefix(folder).ok()) {
                    changed.add(relative);
                }
            }
            Ok(Told::Much) => changed = Changed { program: true, manifest: true, pages: true, folders: true },
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let changed = std::mem::take(&mut changed);
                if since.take().is_some() && events.send(Event::Changed(changed)).is_err() {
                    return;
                }
            }
        }
        if changed != before && changed != Changed::default() {
            since = since.or_else(|| Some(Instant::now()));
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
        if let Some([name]) = parts.as_deref() {
            self.folders |= FOLDERS.contains(name);
        }
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
    fn what_is_written_all_the_time_is_told_all_the_same() {
        let ((told, paths), (tell, events)) = (mpsc::sync_channel(WAITING), mpsc::channel());
        told.send(Told::Package("/site".into())).unwrap();
        thread::spawn(move || sort(&paths, &tell));
        let flood = told.clone();
        // It ends when nobody sorts any more.
        thread::spawn(move || while flood.send(Told::Path("/site/src/lib.rs".into())).is_ok() {});
        for _ in 0..2 {
            let Event::Changed(changed) = events.recv_timeout(Duration::from_secs(60)).unwrap() else {
                panic!()
            };
            assert!(changed.program && !changed.pages);
        }
    }

    #[test]
    fn a_folder_that_came_or_went_is_known_from_a_file() {
        let folders = |path: &str| {
            let mut changed = Changed::default();
            changed.add(Path::new(path));
            changed.folders
        };
        assert!(folders("static") && folders("src"));
        assert!(!folders("static/a.css") && !folders("src/chat") && !folders("Cargo.toml"));
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
