//! Rust in rustfmt's own style, as far as migrations use it.

use std::collections::BTreeSet;
use std::fmt::Write;

/// The width of a line.
const WIDTH: usize = 100;
/// The width of a chain, of arguments and of an array in one line.
const SMALL: usize = 60;

/// An expression.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// A literal or a path, as it is.
    Plain(String),
    /// `[a, b]`.
    Array(Vec<Code>),
    /// A call, and methods of what it gives.
    Chain(Chain),
}

/// A call, and methods of what it gives, each with comments above it.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) head: Call,
    pub(crate) calls: Vec<(Vec<String>, Call)>,
}

/// `name(arguments)`.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    name: String,
    args: Vec<Code>,
}

impl Call {
    pub(crate) fn new(name: &str, args: Vec<Code>) -> Self {
        Self { name: name.to_owned(), args }
    }

    pub(crate) fn chain(self) -> Chain {
        Chain { head: self, calls: Vec::new() }
    }

    fn flat(&self) -> String {
        format!("{}({})", self.name, flat(&self.args))
    }

    /// In one line, if it fits between this column and the end less what follows.
    fn print(&self, indent: usize, column: usize, follows: usize) -> String {
        let args = flat(&self.args);
        let one_line = self.flat();
        if args.len() <= SMALL && column + one_line.len() + follows <= WIDTH {
            return one_line;
        }
        // A call alone between the brackets may be wider, and a plain one may go on in the next lines.
        if let [Code::Chain(chain)] = &self.args[..] {
            let column = column + self.name.len() + 1;
            let inner = match chain.calls.is_empty() {
                true => chain.head.vertical(indent),
                false => chain.print(column, follows + 1),
            };
            if chain.calls.is_empty() || !inner.contains('\n') {
                return format!("{}({inner})", self.name);
            }
        }
        self.vertical(indent)
    }

    /// Each argument in a line of its own.
    fn vertical(&self, indent: usize) -> String {
        let mut text = format!("{}(\n", self.name);
        for arg in &self.args {
            let inner = indent + 4;
            text.push_str(&" ".repeat(inner));
            text.push_str(&arg.print_at(inner, 1));
            text.push_str(",\n");
        }
        text + &" ".repeat(indent) + ")"
    }
}

impl Chain {
    pub(crate) fn then(mut self, name: &str, args: Vec<Code>) -> Self {
        self.calls.push((Vec::new(), Call::new(name, args)));
        self
    }

    fn print(&self, indent: usize, follows: usize) -> String {
        let Some(((comments, last), others)) = self.calls.split_last() else {
            return self.head.print(indent, indent, follows);
        };
        let commented = !comments.is_empty() || others.iter().any(|(comments, _)| !comments.is_empty());
        let parents = others.iter().fold(self.head.flat(), |text, (_, call)| text + "." + &call.flat());
        // rustfmt's rule: the last call stays on the line of those before it where that takes no more lines, or many.
        let width = if others.is_empty() { WIDTH } else { WIDTH.min(indent + SMALL) };
        let column = indent + parents.len() + 1;
        if !commented && column < width {
            let beside = last.print(indent, column, follows);
            let lines = beside.lines().count();
            let first = beside.lines().next().map_or(0, str::len);
            let below = last.print(indent + 4, indent + 5, follows).lines().count();
            if column + first <= width && (lines >= 5 || below >= lines) {
                return format!("{parents}.{beside}");
            }
        }
        let mut text = self.head.print(indent, indent, 0);
        let inner = if text.contains('\n') { indent } else { indent + 4 };
        for (at, (comments, call)) in self.calls.iter().enumerate() {
            let pad = " ".repeat(inner);
            for comment in comments {
                let _infallible = write!(text, "\n{pad}// {comment}");
            }
            let follows = if at + 1 == self.calls.len() { follows } else { 0 };
            let _infallible = write!(text, "\n{pad}.{}", call.print(inner, inner + 1, follows));
        }
        text
    }
}

impl Code {
    /// A text, as a literal.
    pub(crate) fn text(text: &str) -> Self {
        Self::Plain(format!("{text:?}"))
    }

    /// The expression, at this column of a line that ends with it.
    pub(crate) fn print(&self, indent: usize) -> String {
        self.print_at(indent, 0)
    }

    fn print_at(&self, indent: usize, follows: usize) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Chain(chain) => chain.print(indent, follows),
            Self::Array(items) => {
                let inside = flat(items);
                if inside.len() <= SMALL && indent + inside.len() + 2 + follows <= WIDTH {
                    return format!("[{inside}]");
                }
                let pad = " ".repeat(indent + 4);
                let lines: String =
                    items.iter().map(|item| format!("{pad}{},\n", item.print_at(indent + 4, 1))).collect();
                format!("[\n{lines}{}]", " ".repeat(indent))
            }
        }
    }

    fn flat(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Array(items) => format!("[{}]", flat(items)),
            Self::Chain(chain) => {
                chain.calls.iter().fold(chain.head.flat(), |text, (_, call)| text + "." + &call.flat())
            }
        }
    }
}

/// `use path::migration::{A, B};`
pub(crate) fn uses(path: &str, names: &BTreeSet<&'static str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    if let [name] = names[..] {
        return format!("use {path}::migration::{name};");
    }
    let one_line = format!("use {path}::migration::{{{}}};", names.join(", "));
    // rustfmt keeps two columns free.
    if one_line.len() <= WIDTH - 2 {
        return one_line;
    }
    let mut lines = vec!["   ".to_owned()];
    for name in names {
        let last = lines.last_mut().expect("there is one at least");
        if last.len() + name.len() + 2 > WIDTH {
            lines.push(format!("    {name},"));
        } else {
            let _infallible = write!(last, " {name},");
        }
    }
    format!("use {path}::migration::{{\n{}\n}};", lines.join("\n"))
}

fn flat(all: &[Code]) -> String {
    all.iter().map(Code::flat).collect::<Vec<_>>().join(", ")
}
