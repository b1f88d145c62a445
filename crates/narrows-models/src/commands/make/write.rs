//! What goes into which file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::commands::AppModels;
use crate::commands::make::args::Args;
use crate::commands::make::{MakeError, Outcome, folded, shown};
use crate::render::files::{self, Change};
use crate::render::folder::{self, Place};
use crate::render::list::{List, ListError};
use crate::render::{self, Planned, words};
use crate::{snapshot, state};

/// Writes the planned migrations, or shows them, and says what it did.
pub(super) fn migrations(
    chosen: &[&AppModels],
    planned: &BTreeMap<String, Vec<Planned>>,
    args: &Args,
    here: &Path,
) -> Result<String, MakeError> {
    let mut report = String::new();
    let mut changes = Vec::new();
    for app in chosen {
        let Some(planned) = planned.get(&app.name) else { continue };
        let _infallible = writeln!(report, "Migrations for `{}`:", app.name);
        if args.check {
            // The sources may be elsewhere.
            describe(&mut report, app, planned, |planned| planned.name.clone());
            continue;
        }
        let place = folder::place(&app.name, &app.migrations.source, app.migrations.all.is_empty(), here)?;
        let of_app = changes_of(app, planned, &place)?;
        describe(&mut report, app, planned, |planned| {
            shown(&place.folder.join(format!("m{}.rs", planned.name)), here)
        });
        if args.dry_run {
            for change in &of_app {
                let _infallible = write!(report, "\n--- {}\n{}", shown(&change.file, here), change.text);
            }
        }
        changes.extend(of_app);
    }
    if !args.dry_run {
        files::write(&changes)?;
    }
    Ok(report)
}

/// Writes snapshots anew.
pub(super) fn snapshots(chosen: &[&AppModels], args: &Args, here: &Path) -> Result<Outcome, MakeError> {
    let mut report = String::new();
    let mut changes = Vec::new();
    for app in chosen.iter().filter(|app| !app.migrations.all.is_empty()) {
        let text = snapshot::write(&folded(app)?);
        if text == app.migrations.snapshot {
            continue;
        }
        let place = folder::place(&app.name, &app.migrations.source, false, here)?;
        let file = place.folder.join("snapshot.json");
        let _infallible = writeln!(report, "{}", shown(&file, here));
        changes.push(Change { file, text, replaces: true });
    }
    if changes.is_empty() {
        return Ok(Outcome {
            report: "Every snapshot is what its migrations add up to.\n".to_owned(),
            code: 0,
        });
    }
    if !args.dry_run {
        files::write(&changes)?;
    }
    Ok(Outcome { report, code: 0 })
}

/// The files of an app's migrations: they themselves, the list, the snapshot.
fn changes_of(app: &AppModels, planned: &[Planned], place: &Place) -> Result<Vec<Change>, MakeError> {
    let text = fs::read_to_string(&place.file)
        .map_err(|source| MakeError::Read { file: place.file.clone(), source })?;
    let modules: Vec<String> = planned.iter().map(|planned| format!("m{}", planned.name)).collect();
    let todo = match place.is_new {
        true => "`mod migrations;`, and `.migrations(migrations::all())`".to_owned(),
        false => format!("`mod {0};`, and `{0}` at the end of `migrations![…]`", modules.join("`, `")),
    };
    let refused = |source| MakeError::List { file: place.file.clone(), source, todo: todo.clone() };
    let list = List::find(&text).map_err(refused)?;
    if list.names.len() != app.migrations.all.len() {
        return Err(MakeError::Stale {
            file: place.file.clone(),
            found: list.names.len(),
            built: app.migrations.all.len(),
        });
    }
    let path = list.path();
    let mut changes = Vec::new();
    let mut schema = None;
    for (planned, module) in planned.iter().zip(&modules) {
        let mut after = planned.before.clone();
        for operation in &planned.operations {
            state::apply(&mut after, operation)?;
        }
        schema = Some(after);
        let text = render::formatted(render::file(planned, &app.name, &path), &place.folder);
        changes.push(Change { file: place.folder.join(format!("{module}.rs")), text, replaces: false });
    }
    if place.is_new {
        let file = place.folder.join("mod.rs");
        if file.exists() {
            return Err(refused(ListError::Taken("migrations".to_owned())));
        }
        let new = render::formatted(new_list(&modules, &path), &place.folder);
        changes.push(Change { file, text: new, replaces: false });
        let snapshot = snapshot::write(&schema.unwrap_or_default());
        changes.push(Change { file: place.folder.join("snapshot.json"), text: snapshot, replaces: false });
        let moved = render::formatted_again(&text, list.moved().map_err(refused)?, &place.folder);
        changes.push(Change { file: place.file.clone(), text: moved, replaces: true });
        return Ok(changes);
    }
    let longer = render::formatted_again(&text, list.with(&modules).map_err(refused)?, &place.folder);
    changes.push(Change { file: place.file.clone(), text: longer, replaces: true });
    let text = snapshot::write(&schema.unwrap_or_default());
    changes.push(Change { file: place.folder.join("snapshot.json"), text, replaces: true });
    Ok(changes)
}

/// `mod.rs` of a new folder.
fn new_list(modules: &[String], path: &str) -> String {
    let lines: String = modules.iter().map(|module| format!("mod {module};\n")).collect();
    format!(
        "//! The migrations of this app, in order. `makemigrations` adds to the list.\n\n{lines}\n\
         use {path}::{{Migrations, migrations}};\n\n/// All of them.\npub(crate) fn all() -> Migrations {{\n    \
         migrations![{}]\n}}\n",
        modules.join(", ")
    )
}

fn describe(report: &mut String, app: &AppModels, planned: &[Planned], file: impl Fn(&Planned) -> String) {
    for planned in planned {
        let _infallible = writeln!(report, "  {}", file(planned));
        for operation in &planned.operations {
            let _infallible = writeln!(report, "    - {}", words::step(operation, &app.name));
        }
    }
}
