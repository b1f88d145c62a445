use std::io::Write;
use std::process::ExitCode;

use sea_orm::DatabaseConnection;

use super::{CommandError, Commands};

pub(super) const USAGE: &str = "usage: showmigrations [APP]…";

/// Whether the words are understood.
pub(super) fn check(words: &[String]) -> Result<(), CommandError> {
    match words.iter().find(|word| word.starts_with('-')) {
        Some(word) => Err(CommandError::Usage(format!("`showmigrations` does not know `{word}`\n{USAGE}"))),
        None => Ok(()),
    }
}

pub(super) async fn run(
    commands: &Commands,
    connection: &DatabaseConnection,
    words: &[String],
    output: &mut (dyn Write + Send),
) -> Result<ExitCode, CommandError> {
    check(words)?;
    let all = commands.migrator(connection).status().await?;
    let apps = commands.migrator(connection).app_names();
    if let Some(unknown) = words.iter().find(|word| !apps.contains(word)) {
        return Err(CommandError::Usage(format!(
            "there is no app `{unknown}`; there are: {}",
            apps.join(", ")
        )));
    }
    for app in apps.iter().filter(|app| words.is_empty() || words.contains(app)) {
        writeln!(output, "{app}")?;
        let mut of_app = all.iter().filter(|status| status.app == *app).peekable();
        if of_app.peek().is_none() {
            writeln!(output, " (no migrations)")?;
        }
        for status in of_app {
            let mark = if status.applied { 'X' } else { ' ' };
            let half = status
                .half
                .map_or_else(String::new, |done| format!(" (half-way: {done} operations are in effect)"));
            let known = if status.known { "" } else { " (not in this program)" };
            writeln!(output, " [{mark}] {}{half}{known}", status.name)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
