use std::time::{Duration, Instant};

use crate::error::Failure;
use crate::steps::{STEPS, Step};
use crate::tally::Tally;

/// Prints the steps and what each does.
pub(crate) fn list() {
    println!("Steps:");
    for step in STEPS {
        let within = step.within.map_or_else(String::new, |whole| format!(" (part of {whole})"));
        println!("  {:<9} {}{within}", step.name, step.about);
    }
}

/// Runs the chosen steps in order, up to the first that fails, and sums up.
pub(crate) fn run(only: &[String], skip: &[String]) -> Result<(), Failure> {
    let steps = choose(only, skip)?;
    let (mut done, mut total) = (Vec::new(), Tally::default());
    let mut outcome = Ok(());
    for step in steps {
        println!("\n━━━ {}: {}", step.name, step.about);
        let start = Instant::now();
        let mut tally = Tally::default();
        let result = (step.run)(&mut tally);
        if result.is_err() && tally.failed == 0 {
            // A step that is no test, or that broke before its tests ran, counts as one.
            tally.failed = 1;
        }
        done.push((step.name, start.elapsed(), tally));
        total += tally;
        if let Err(source) = result {
            outcome = Err(Failure::Step { step: step.name, source: Box::new(source) });
            break;
        }
    }
    summary(&done);
    println!("{total}");
    outcome
}

fn choose(only: &[String], skip: &[String]) -> Result<Vec<&'static Step>, Failure> {
    for name in only.iter().chain(skip) {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            return Err(Failure::Usage(format!("no step {name:?}; the steps are {}", names.join(", "))));
        }
    }
    let named = |list: &[String], name: &str| list.iter().any(|item| item == name);
    let chosen = |step: &&Step| {
        // What a larger step runs anyway is not run twice, unless it is asked for by name.
        let by_default = step.within.is_none_or(|whole| named(skip, whole));
        !named(skip, step.name) && if only.is_empty() { by_default } else { named(only, step.name) }
    };
    Ok(STEPS.iter().filter(chosen).collect())
}

fn summary(done: &[(&str, Duration, Tally)]) {
    println!("\n━━━ summary");
    for (name, time, tally) in done {
        let tests = if tally.ran() == 0 { String::new() } else { format!("  {tally}") };
        println!("  {name:<9} {:>6.1} s{tests}", time.as_secs_f64());
    }
    let whole: Duration = done.iter().map(|(_, time, _)| *time).sum();
    println!("  {:<9} {:>6.1} s", "in all", whole.as_secs_f64());
}
