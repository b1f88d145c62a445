use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::command::{Profile, run as run_command};
use crate::error::Failure;
use crate::tally::Tally;
use crate::{install, paths};

/// What CI runs: framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, automatic fragments.
const GROUPS: [&str; 2] = ["1-7", "10"];

/// Cases where the library for frames checks a text at the end of a frame, not as its bytes arrive. RFC 6455
/// allows either.
const MAY_BE_LATE: [&str; 2] = ["6.4.3", "6.4.4"];

/// Runs cases of Autobahn's suite against the endpoints example, or against the server at a URL.
pub(crate) fn run(cases: &[String], url: Option<&str>, tally: &mut Tally) -> Result<(), Failure> {
    let (package, python) = install::autobahn()?;
    let mut server = None;
    let url = match url {
        Some(url) => url.to_owned(),
        None => {
            let mut command = Command::new(Profile::Ci.built("endpoints")?);
            let child = server.insert(programs::Child::start(command.args(["--bind", "127.0.0.1:0"])));
            format!("ws://{}/ws/echo/", child.line("listening on http://").trim_end_matches('/'))
        }
    };
    let out = paths::target().join("autobahn/report");
    let mut command = Command::new(python);
    command.arg(paths::root().join("xtask/autobahn/run.py")).arg(package).arg(url).arg(&out);
    run_command(command.args(groups(cases)?).env("PYTHONDONTWRITEBYTECODE", "1"))?;
    drop(server);

    let path = out.join("index.json");
    let text = fs::read_to_string(&path).map_err(|source| Failure::File { path: path.clone(), source })?;
    let report: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::Check(format!("{} is not a report: {error}", path.display())))?;
    judge(&report["server"], tally)?;
    println!("the report is {}", path.display());
    Ok(())
}

/// `1-7,10` as single numbers; a number may go deeper, as `7.1`.
fn groups(cases: &[String]) -> Result<Vec<String>, Failure> {
    let mut groups = Vec::new();
    let named = cases.iter().map(String::as_str);
    for part in named.chain(GROUPS.into_iter().filter(|_| cases.is_empty())) {
        match part.split_once('-') {
            None => groups.push(part.to_owned()),
            Some((first, last)) => {
                let wrong =
                    |_| Failure::Usage(format!("{part:?} is no range of groups; use for example 1-7,10"));
                let (first, last): (u32, u32) = (first.parse().map_err(wrong)?, last.parse().map_err(wrong)?);
                groups.extend((first..=last).map(|group| group.to_string()));
            }
        }
    }
    Ok(groups)
}

/// Prints the counts, and fails when a case does not come to what it should.
fn judge(report: &Value, tally: &mut Tally) -> Result<(), Failure> {
    let (mut behaviours, mut closes) = (BTreeMap::new(), BTreeMap::new());
    let mut failed = Vec::new();
    for (case, result) in report.as_object().into_iter().flatten() {
        let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
        let (behaviour, close) = (text("behavior"), text("behaviorClose"));
        let passed = match behaviour.as_str() {
            "OK" | "INFORMATIONAL" => true,
            "NON-STRICT" => MAY_BE_LATE.contains(&case.as_str()),
            _ => false,
        };
        if passed && matches!(close.as_str(), "OK" | "INFORMATIONAL") {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            failed.push(format!(
                "{case}: {behaviour}, close {close}: {} {}",
                text("result"),
                text("resultClose")
            ));
        }
        *behaviours.entry(behaviour).or_insert(0) += 1;
        *closes.entry(close).or_insert(0) += 1;
    }
    println!("behaviour: {}", counts(&behaviours));
    println!("close:     {}", counts(&closes));
    if tally.ran() == 0 {
        return Err(Failure::Check("no case was run".to_owned()));
    }
    if failed.is_empty() {
        return Ok(());
    }
    println!("{}", failed.join("\n"));
    Err(Failure::Check(format!("{} of {} cases failed", failed.len(), tally.ran())))
}

fn counts(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_of_groups_are_written_out() {
        let cases = ["1-3".to_owned(), "7.1".to_owned()];
        assert_eq!(groups(&cases).unwrap(), ["1", "2", "3", "7.1"]);
        assert_eq!(groups(&[]).unwrap().len(), 8);
        assert!(groups(&["1-x".to_owned()]).is_err());
    }

    #[test]
    fn a_late_refusal_passes_only_where_it_is_allowed_and_a_wrong_close_nowhere() {
        let judged = |case: &str, behaviour: &str, close: &str| {
            let mut report = json!({});
            report[case] = json!({"behavior": behaviour, "behaviorClose": close});
            judge(&report, &mut Tally::default()).is_ok()
        };
        assert!(judged("1.1.1", "OK", "OK"));
        assert!(judged("6.4.3", "NON-STRICT", "OK"));
        assert!(!judged("6.4.1", "NON-STRICT", "OK"));
        assert!(!judged("1.1.1", "OK", "UNCLEAN"));
        assert!(!judged("12.1.1", "UNIMPLEMENTED", "OK"));
    }
}
