use std::fmt::Write;

use super::loaded::Entry;
use super::program::Program;
use super::setting::Setting;
use super::source::Source;
use super::table;
use super::value::{Kind, Value};

/// The text of `--help`.
pub(super) fn help(program: &Program, table: &[&Setting]) -> String {
    let mut lines = vec![format!("{} {}", program.name, program.version)];
    if !program.about.is_empty() {
        lines.push(program.about.to_owned());
    }
    let command = if program.commands.is_empty() { "" } else { " [COMMAND]" };
    lines.push(format!("\nUsage: {}{command} [--NAME VALUE]...", program.name));
    if !program.commands.is_empty() {
        lines.push("\nCommands".to_owned());
        let width = program.commands.iter().map(|(usage, _)| usage.len()).max().unwrap_or_default();
        lines.extend(program.commands.iter().map(|(usage, about)| format!("  {usage:width$}  {about}")));
    }
    lines.push(
        concat!(
            "\nA flag wins over its environment variable, that over the file, that over the default.\n",
            "Times: 500ms, 20s, 2m, 1h, off. Sizes: 65536, 64KiB, 1MiB, 1MB. Lists: commas between,\n",
            "or the flag again.",
        )
        .to_owned(),
    );
    lines.push("\nGeneral".to_owned());
    let file = program.file.as_ref().map(|file| format!(" [default: {}]", file.display()));
    lines.push(format!(
        "  --config FILE  [NARROWS_CONFIG]{}\n      Settings from a TOML file, one NAME = VALUE a line",
        file.unwrap_or_default()
    ));
    lines.push("  --print-config\n      Print the settings in force and where each comes from".into());
    lines.push("  --help, --version".into());
    let mut section = "";
    for setting in table {
        if setting.section != section {
            section = setting.section;
            lines.push(format!("\n{section}"));
        }
        let default = setting.show(&setting.default);
        let default = if default.is_empty() { "none" } else { default.as_str() };
        let placeholder = setting.kind.placeholder();
        let flag = format!("{} {placeholder}", setting.flag());
        let variables: Vec<String> = setting.variables().collect();
        let variables = variables.join(", ");
        lines.push(format!("  {}  [{variables}] [default: {default}]", flag.trim_end()));
        lines.push(format!("      {}", setting.help.replace('`', "")));
    }
    lines.join("\n") + "\n"
}

/// The text of `--print-config`: a settings file that would have the same effect.
pub(super) fn config(program: &Program, entries: &[Entry]) -> String {
    let mut text = format!("# The settings of {} {} in force.\n", program.name, program.version);
    let mut section = "";
    for entry in entries {
        if entry.setting.section != section {
            section = entry.setting.section;
            text += &format!("\n# {section}\n");
        }
        let name = entry.setting.name;
        let line = match &entry.value {
            // An empty list of addresses is a default that gave way; written out it would not be read back.
            Value::List(items) if items.is_empty() && entry.source == Source::Default => {
                format!("# {name} = []")
            }
            _ if entry.setting.secret && entry.source != Source::Default => {
                format!("# {name} is set, but secret")
            }
            value => format!("{name} = {}", toml_value(&entry.setting.kind, value)),
        };
        text += &format!("{line:<50} # {}\n", entry.source);
    }
    text
}

/// The table of every server's settings as Markdown, which is what the documentation shows.
///
/// ```
/// assert!(narrows::serve::settings::markdown().contains("| `ping_interval` | 25s |"));
/// ```
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    let mut section = "";
    for row in table::rows() {
        let setting = row.setting;
        if setting.section != section {
            section = setting.section;
            text += &format!("\n### {section}\n\n| setting | default | what it is |\n|---|---|---|\n");
        }
        let default = setting.show(&setting.default);
        let default = if default.is_empty() { "none" } else { default.as_str() };
        let help = match setting.kind {
            Kind::Choice(words) => format!("{} (`{}`)", setting.help, words.join("`, `")),
            _ => setting.help.to_owned(),
        };
        text += &format!("| `{}` | {default} | {help} |\n", setting.name);
    }
    text.trim_start().to_owned()
}

fn toml_value(kind: &Kind, value: &Value) -> String {
    match value {
        Value::Count(_) | Value::Switch(_) => value.show(kind),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| toml_text(item)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => toml_text(&value.show(kind)),
    }
}

/// A TOML basic string.
fn toml_text(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
