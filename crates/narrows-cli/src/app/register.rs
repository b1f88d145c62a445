//! Lines added to files that somebody wrote. What is not understood is left alone.

/// Declares a module beside the others: `pub mod blog;`, in the order of names, in which rustfmt keeps them.
///
/// The first one comes before what is imported. `None` where there is neither.
pub(super) fn add_module(text: &str, keyword: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(first) = lines.iter().position(|line| module(line).is_some()) else {
        let imports = lines.iter().position(|line| line.starts_with("use "))?;
        return Some(insert(&lines, imports, &format!("{keyword} {name};\n\n")));
    };
    let block =
        lines[first..].iter().take_while(|line| module(line).is_some() || is_about_next(line)).count();
    let block: Vec<_> =
        (first..first + block).filter_map(|line| Some((line, module(lines[line])?))).collect();
    let next = block.iter().find(|(_, other)| *other > name).map(|(line, _)| *line);
    let mut place = next.or_else(|| Some(block.last()?.0 + 1))?;
    // Not between a module and what is said of it: `#[cfg(test)]` is not meant for another one.
    while place > 0 && is_about_next(lines[place - 1]) {
        place -= 1;
    }
    Some(insert(&lines, place, &format!("{keyword} {name};\n")))
}

/// Adds `.app(NAME::app())` to the project: after the apps that are modules of it, or before all apps.
///
/// The first one comes after the project's assets. `None` where neither is on a line of its own.
pub(super) fn add_app(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let modules: Vec<&str> = lines.iter().filter_map(|line| module(line)).collect();
    let is_own = |line: &&str| app(line).is_some_and(|app| modules.contains(&app));
    let begins = |line: &str, with: &str| line.trim_start().starts_with(with);
    let other = || lines.iter().position(|line| begins(line, ".app("));
    let assets = || Some(lines.iter().position(|line| begins(line, ".assets("))? + 1);
    let place = lines.iter().rposition(is_own).map(|last| last + 1).or_else(other).or_else(assets)?;
    // The project is said by then.
    if place > 0 && lines[place - 1].trim_end().ends_with(';') {
        return None;
    }
    let indent = lines.iter().find(|line| begins(line, ".app(") || begins(line, ".assets("))?;
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    Some(insert(&lines, place, &format!("{indent}.app({name}::app())\n")))
}

/// The module that a line declares.
fn module(line: &str) -> Option<&str> {
    let line = line.trim_end().strip_suffix(';')?;
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    line.strip_prefix("mod ").map(str::trim)
}

/// Whether a line belongs to what the next one declares: a comment, or an attribute.
fn is_about_next(line: &str) -> bool {
    line.starts_with("#[") || (line.starts_with("//") && !line.starts_with("//!"))
}

/// The module whose app a line adds, and nothing else.
fn app(line: &str) -> Option<&str> {
    line.trim().strip_prefix(".app(")?.strip_suffix("::app())")
}

fn insert(lines: &[&str], place: usize, line: &str) -> String {
    let (before, after) = lines.split_at(place);
    [before.concat(), line.to_owned(), after.concat()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "\
//! The site.

pub mod chat;
mod wiki;

use narrows_web::Project;

pub fn project() -> Project {
    // All of it.
    Project::new(\"mysite\", \"1\")
        .app(chat::app())
        .app(wiki::app())
        .app(accounts::app())
        .setting(x)
}
";

    #[test]
    fn an_app_comes_after_those_of_the_project_and_its_module_in_the_order_of_names() {
        let text = add_app(&add_module(LIB, "pub mod", "blog").unwrap(), "blog").unwrap();
        let expected = LIB
            .replace("pub mod chat;", "pub mod blog;\npub mod chat;")
            .replace("        .app(wiki::app())\n", "        .app(wiki::app())\n        .app(blog::app())\n");
        assert_eq!(text, expected);
        let text = add_module(LIB, "pub mod", "shop").unwrap();
        assert!(text.contains("pub mod chat;\npub mod shop;\nmod wiki;\n"), "{text}");
        assert!(add_module(LIB, "mod", "zoo").unwrap().contains("mod wiki;\nmod zoo;\n\nuse"));
    }

    #[test]
    fn without_an_app_of_its_own_it_comes_before_the_others() {
        let text = "mod a;\n  Project::new()\n    .app(accounts::app())\n    .app(admin().app())\n";
        let expected = "mod a;\n  Project::new()\n    .app(b::app())\n    .app(accounts::app())\n    .app(admin().app())\n";
        assert_eq!(add_app(text, "b").unwrap(), expected);
    }

    #[test]
    fn the_first_app_comes_after_the_assets_and_its_module_before_the_imports() {
        let text = "//! The site.\n\nuse a::b;\n\nfn p() {\n    P::new()\n        .assets(assets!())\n}\n";
        let expected = "//! The site.\n\npub mod blog;\n\nuse a::b;\n\nfn p() {\n    P::new()\n        .assets(assets!())\n        .app(blog::app())\n}\n";
        let text = add_app(&add_module(text, "pub mod", "blog").unwrap(), "blog").unwrap();
        assert_eq!(text, expected);
    }

    #[test]
    fn a_module_does_not_come_between_another_and_what_is_said_of_it() {
        let text =
            "pub mod about;\n/// The shop.\n#[path = \"x.rs\"]\npub mod shop;\n#[cfg(test)]\nmod tests;\n";
        let expected = text.replace("/// The shop", "pub mod blog;\n/// The shop");
        assert_eq!(add_module(text, "pub mod", "blog").unwrap(), expected);
        let expected = text.replace("#[cfg(test)]", "pub mod tags;\n#[cfg(test)]");
        assert_eq!(add_module(text, "pub mod", "tags").unwrap(), expected);
        assert_eq!(add_module(text, "mod", "zoo").unwrap(), format!("{text}mod zoo;\n"));
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        assert_eq!(add_module("fn main() {}\n", "mod", "a"), None);
        assert_eq!(add_app("mod a;\nlet p = Project::new().app(a::app());\n", "b"), None);
        assert_eq!(add_app("let p = Project::new()\n    .assets(assets!());\n", "b"), None);
    }
}
