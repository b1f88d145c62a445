use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Model;

const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the address of a list says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// What is searched for.
    pub(super) q: String,
    /// Chosen values by field, for the filters that are used.
    pub(super) filters: BTreeMap<usize, String>,
    /// The field to sort by, and whether the greatest comes first.
    pub(super) sort: Option<(usize, bool)>,
    /// From 1.
    pub(super) page: u64,
}

impl State {
    /// Reads a query; what makes no sense is left out.
    pub(super) fn read(model: &Model, pairs: &[(String, String)]) -> Self {
        let mut state = Self { page: 1, ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                "q" => state.q = value.trim().chars().take(500).collect(),
                "page" => state.page = value.parse().unwrap_or(1).max(1),
                "sort" => {
                    let (name, down) =
                        value.strip_prefix('-').map_or((value.as_str(), false), |name| (name, true));
                    let is_sorted =
                        |at: &usize| model.list.contains(at) && model.fields[*at].kind.has_order();
                    let field = model.field(name).filter(is_sorted);
                    state.sort = field.map(|field| (field, down));
                }
                _ => {
                    let field = name.strip_prefix("f.").and_then(|name| model.field(name));
                    let field = field.filter(|at| model.filters.iter().any(|filter| filter.field == *at));
                    if let Some(field) = field.filter(|_| !value.is_empty() && value.len() <= 1024) {
                        state.filters.insert(field, value.clone());
                    }
                }
            }
        }
        state
    }

    /// The query of this state, with its `?`; empty for the first page of the whole list.
    pub(super) fn query(&self, model: &Model) -> String {
        let mut pairs = Vec::new();
        let mut add = |name: String, value: &str| {
            pairs.push(format!("{name}={}", utf8_percent_encode(value, VALUE)));
        };
        if !self.q.is_empty() {
            add("q".to_owned(), &self.q);
        }
        for (field, value) in &self.filters {
            let name = utf8_percent_encode(&model.fields[*field].name, VALUE).to_string();
            add(format!("f.{name}"), value);
        }
        if let Some((field, down)) = self.sort {
            add("sort".to_owned(), &sort_text(model, field, down));
        }
        if self.page > 1 {
            add("page".to_owned(), &self.page.to_string());
        }
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

pub(super) fn sort_text(model: &Model, field: usize, down: bool) -> String {
    format!("{}{}", if down { "-" } else { "" }, model.fields[field].name)
}
