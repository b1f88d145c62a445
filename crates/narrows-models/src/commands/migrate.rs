use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::sync::mpsc;

use super::{CommandError, Commands};
use crate::migrate::{Notice, Planned, Report, Target};

pub(super) const USAGE: &str =
    "usage: migrate [APP] [--to NAME|zero] [--plan] [--sql] [--check] [--fake] [--fake-initial]";

#[derive(Default)]
struct Words {
    target: Target,
    plan: bool,
    sql: bool,
    check: bool,
    fake: bool,
    fake_initial: bool,
}

pub(super) async fn run(
    commands: &Commands,
    connection: &DatabaseConnection,
    words: &[String],
    output: &mut (dyn Write + Send),
) -> Result<ExitCode, CommandError> {
    let words = read(words)?;
    let migrator = commands.migrator(connection).target(words.target);
    let migrator = migrator.fake(words.fake).fake_initial(words.fake_initial);
    if words.plan || words.sql || words.check {
        let planned = migrator.plan().await?;
        print_plan(output, &planned, words.sql)?;
        return Ok(ExitCode::from(u8::from(words.check && !planned.is_empty())));
    }
    // As many as there are: each is one line of what this very command does.
    let (tell, mut told) = mpsc::unbounded_channel();
    let migrator = migrator.on_notice(move |notice| {
        // The command goes on where nobody reads what it does.
        drop(tell.send(notice));
    });
    let printing = async {
        // Whether a line was begun and not ended.
        let mut open = false;
        while let Some(notice) = told.recv().await {
            print_notice(output, &notice)?;
            open = matches!(notice, Notice::Begins { .. });
        }
        if open { writeln!(output) } else { Ok(()) }
    };
    let (report, printed) = tokio::join!(migrator.migrate(), printing);
    let report = report?;
    printed?;
    print_end(output, &report)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the words are understood.
pub(super) fn check(words: &[String]) -> Result<(), CommandError> {
    read(words).map(drop)
}

fn read(words: &[String]) -> Result<Words, CommandError> {
    let wrong = |what: &str| CommandError::Usage(format!("{what}\n{USAGE}"));
    let mut read = Words::default();
    let (mut app, mut to) = (None, None);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--plan" => read.plan = true,
            "--sql" => read.sql = true,
            "--check" => read.check = true,
            "--fake" => read.fake = true,
            "--fake-initial" => read.fake_initial = true,
            "--to" => {
                let name = words.next();
                to = Some(name.ok_or_else(|| wrong("`--to` needs the name of a migration, or `zero`"))?);
            }
            _ if word.starts_with("--to=") => to = word.strip_prefix("--to="),
            _ if word.starts_with('-') => return Err(wrong(&format!("`migrate` does not know `{word}`"))),
            _ if app.is_none() => app = Some(word),
            // As Django has it: `migrate chat 0001`.
            _ if to.is_none() => to = Some(word),
            _ => return Err(wrong(&format!("`{word}` is one word too many"))),
        }
    }
    read.target = match (app, to) {
        (None, None) => Target::Latest,
        (None, Some(_)) => return Err(wrong("`--to` needs the app whose migration it names")),
        (Some(app), None) => Target::App(app.to_owned()),
        (Some(app), Some("zero")) => Target::Zero { app: app.to_owned() },
        (Some(app), Some(name)) => Target::To { app: app.to_owned(), name: name.to_owned() },
    };
    Ok(read)
}

fn print_notice(output: &mut dyn Write, notice: &Notice) -> io::Result<()> {
    match notice {
        Notice::Waiting { holder: None } => writeln!(output, "Waiting for another process that migrates…")?,
        Notice::Waiting { holder: Some(holder) } => {
            writeln!(output, "Waiting for another process that migrates ({holder})…")?;
        }
        Notice::Begins { app, name, forwards, resumes_at } => {
            let what = if *forwards { "Applying" } else { "Taking back" };
            write!(output, "{what} {app}.{name}…")?;
            if let Some(operation) = resumes_at {
                write!(output, " going on at operation {operation}…")?;
            }
        }
        Notice::Ended(done) if done.faked => writeln!(output, " recorded only")?,
        Notice::Ended(done) => writeln!(output, " done ({})", time(done.took))?,
    }
    output.flush()
}

fn print_end(output: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.done.is_empty() {
        writeln!(output, "Nothing to migrate.")?;
    }
    for (app, name) in &report.gone {
        writeln!(output, "Warning: {app}.{name} is applied in this database, and not in this program.")?;
    }
    Ok(())
}

fn print_plan(output: &mut dyn Write, planned: &[Planned], sql: bool) -> io::Result<()> {
    if planned.is_empty() {
        // A comment where the output is SQL.
        return writeln!(output, "{}Nothing to migrate.", if sql { "-- " } else { "" });
    }
    for migration in planned {
        let what = if migration.forwards { "Apply" } else { "Take back" };
        let comment = if sql { "-- " } else { "" };
        writeln!(output, "{comment}{what} {}.{}", migration.app, migration.name)?;
        for operation in &migration.operations {
            writeln!(output, "{comment}    {}", operation.what)?;
            for statement in operation.sql.iter().filter(|_| sql) {
                let end =
                    if statement.starts_with("--") || statement.trim_end().ends_with(';') { "" } else { ";" };
                writeln!(output, "{statement}{end}")?;
            }
        }
    }
    Ok(())
}

fn time(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
