//! The inputs of a form.

use std::collections::BTreeMap;

use narrows_models::sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;

use super::parse::input_text;
use crate::Admin;
use crate::model::{Field, Kind, Model};
use crate::rows::{self, Row, Selection};
use crate::shell::Staff;
use crate::value::{self, Cell};

/// Of more rows than these none is offered before something is typed.
pub(super) const OFFERED: u64 = 100;

/// What stands in an input, by field.
pub(crate) type Texts = BTreeMap<usize, String>;

/// What is wrong with fields.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Problems {
    pub(crate) fields: BTreeMap<usize, Vec<String>>,
    pub(crate) form: Vec<String>,
}

impl Problems {
    pub(crate) fn add(&mut self, field: usize, text: impl Into<String>) {
        self.fields.entry(field).or_default().push(text.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.form.is_empty()
    }
}

/// An input, as the template takes it.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    name: String,
    title: String,
    /// How it is drawn.
    look: Look,
    /// The `type` and `inputmode` of an `<input>`.
    input_type: &'static str,
    input_mode: Option<&'static str>,
    value: String,
    options: Vec<Choice>,
    max_chars: Option<u32>,
    min: Option<i64>,
    max: Option<i64>,
    step: Option<&'static str>,
    is_required: bool,
    help: Vec<String>,
    errors: Vec<String>,
    /// The row that is pointed at, and its address.
    label: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Look {
    Line,
    Lines,
    Checkbox,
    Select,
    /// A key, with rows offered for what is typed.
    Search,
    Secret,
    /// Shown, not edited.
    Fixed,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    title: String,
    is_selected: bool,
}

/// The fields that a form edits.
pub(crate) fn edited(model: &Model, staff: &Staff, is_new: bool) -> Vec<usize> {
    let edits = |at: &usize| {
        let field = &model.fields[*at];
        let key = model.key.contains(at);
        let for_them = !field.for_superusers || staff.user().is_superuser;
        let made = model.derived(*at).is_some();
        for_them
            && !made
            && field.kind.is_editable()
            && !field.read_only
            && !model.is_auto(*at)
            && (is_new || !key)
    };
    (0..model.fields.len()).filter(edits).collect()
}

/// What the inputs of a row show before anything is typed.
pub(crate) fn texts(model: &Model, staff: &Staff, row: Option<&Row>) -> Texts {
    let fields = edited(model, staff, row.is_none());
    fields
        .into_iter()
        .filter(|at| !model.fields[*at].secret)
        .map(|at| {
            let text = match row {
                Some(row) => input_text(&model.fields[at], row.cell(at)),
                None => model.fields[at].default.clone().unwrap_or_default(),
            };
            (at, text)
        })
        .collect()
}

/// What a form is made with.
pub(crate) struct Making<'a, C> {
    pub(super) connection: &'a C,
    pub(super) admin: &'a Admin,
    pub(super) staff: &'a Staff,
    pub(super) model: &'a Model,
    /// The address of a model's list.
    pub(super) url_of: &'a (dyn Fn(&Model) -> Option<String> + Sync),
}

impl<C: ConnectionTrait> Making<'_, C> {
    /// All inputs of a form; those that nobody may edit are fixed.
    pub(super) async fn inputs(
        &self,
        row: Option<&Row>,
        texts: &Texts,
        problems: &Problems,
        may_edit: bool,
    ) -> Result<Vec<Input>, DbErr> {
        let edited = edited(self.model, self.staff, row.is_none());
        let mut inputs = Vec::new();
        for (at, field) in self.model.fields.iter().enumerate() {
            let is_edited = may_edit && edited.contains(&at);
            if self.model.derived(at).is_some() {
                continue;
            }
            if !is_edited && (row.is_none() || field.secret) {
                continue;
            }
            let mut input = if is_edited {
                self.edited(at, field, row.is_none(), texts.get(&at).map_or("", String::as_str)).await?
            } else {
                self.fixed(at, field, row.map_or(&None, |row| row.cell(at))).await?
            };
            input.errors = problems.fields.get(&at).cloned().unwrap_or_default();
            inputs.push(input);
        }
        Ok(inputs)
    }

    async fn fixed(&self, at: usize, field: &Field, cell: &Cell) -> Result<Input, DbErr> {
        let mut input = Input::new(field, Look::Fixed, "");
        let Some(cell) = cell else {
            "–".clone_into(&mut input.value);
            return Ok(input);
        };
        input.value = match &field.kind {
            Kind::Text { .. } => cell.clone(),
            Kind::Json { .. } => input_text(field, &Some(cell.clone())),
            kind => value::show(kind, cell),
        };
        if let Some((label, url)) = self.pointed(at, cell).await? {
            (input.value, input.url) = (label, url);
        }
        Ok(input)
    }

    async fn edited(&self, at: usize, field: &Field, is_new: bool, text: &str) -> Result<Input, DbErr> {
        if field.secret {
            let mut input = Input::new(field, Look::Secret, "");
            input.is_required = is_new && !field.null && !field.has_default;
            if !is_new {
                input
                    .help
                    .push("It is not shown. What you type takes its place; empty, it stays.".to_owned());
            }
            return Ok(input);
        }
        if let Some((target, to)) = self.admin.target(self.model, at)
            && self.staff.may_do(target, "view")
        {
            return self.link(at, field, target, to, text).await;
        }
        let mut input = Input::new(field, Look::Line, text);
        // A default is taken by new rows alone.
        input.is_required |= !is_new && !field.null && !field.blank;
        match &field.kind {
            Kind::Boolean if field.null => {
                input.look = Look::Select;
                input.options = choices([("", "Unknown"), ("true", "Yes"), ("false", "No")], text);
            }
            Kind::Boolean => {
                input.look = Look::Checkbox;
                input.is_required = false;
            }
            Kind::Choice { of, .. } => {
                input.look = Look::Select;
                let none = [("", if field.null { "None" } else { "Choose…" })];
                let of = of.iter().map(|choice| (choice.as_str(), choice.as_str()));
                input.options = choices(none.into_iter().chain(of), text);
            }
            Kind::Integer { min, max } => {
                input.input_mode = Some("numeric");
                // Browsers count in floats: a number that one cannot hold is typed as a text.
                if *max <= i64::from(u32::MAX) {
                    (input.input_type, input.min, input.max) = ("number", Some(*min), Some(*max));
                    input.step = Some("1");
                }
            }
            Kind::Float { .. } | Kind::Decimal(_) => input.input_mode = Some("decimal"),
            Kind::Text { max_chars, lines } => {
                input.max_chars = *max_chars;
                if *lines || text.contains('\n') || max_chars.is_some_and(|max| max > 300) {
                    input.look = Look::Lines;
                }
            }
            Kind::Json { .. } => input.look = Look::Lines,
            Kind::Date if text.is_empty() || value::date(text).is_some() => input.input_type = "date",
            Kind::Time if text.is_empty() || value::time(text).is_some() => {
                (input.input_type, input.step) = ("time", Some("any"));
            }
            Kind::DateTime | Kind::LocalDateTime if text.is_empty() || value::local(text).is_some() => {
                (input.input_type, input.step) = ("datetime-local", Some("any"));
            }
            _ => {}
        }
        if field.kind == Kind::DateTime {
            input.help.push("In UTC.".to_owned());
        }
        if is_new && self.model.key == [at] && field.kind.is_uuid() {
            input.is_required = false;
            input.help.push("Empty, one is made.".to_owned());
        }
        Ok(input)
    }

    /// A select of all rows, where there are few; else a key to be found.
    async fn link(
        &self,
        at: usize,
        field: &Field,
        target: &Model,
        to: usize,
        text: &str,
    ) -> Result<Input, DbErr> {
        let mut input = Input::new(field, Look::Search, text);
        if let Some((label, url)) = self.pointed(at, text).await? {
            (input.label, input.url) = (Some(label), url);
        }
        let selection = Selection::short(target, [to], self.connection.get_database_backend());
        let rows = selection.all(self.connection, selection.statement().limit(OFFERED + 1)).await?;
        if rows.len() as u64 <= OFFERED {
            input.look = Look::Select;
            let mut rows: Vec<(String, String)> =
                rows.into_iter().filter_map(|row| Some((row.cell(to).clone()?, row.label))).collect();
            rows.sort_by(|one, other| one.1.cmp(&other.1));
            let none = [("", if field.null { "None" } else { "Choose…" })];
            let rows = rows.iter().map(|(value, title)| (value.as_str(), title.as_str()));
            input.options = choices(none.into_iter().chain(rows), text);
        }
        Ok(input)
    }

    /// The label and the address of the row that a value points at, where one may see it.
    async fn pointed(&self, at: usize, value: &str) -> Result<Option<(String, Option<String>)>, DbErr> {
        let Some((target, to)) = self.admin.target(self.model, at) else { return Ok(None) };
        if value.is_empty() || !self.staff.may_do(target, "view") {
            return Ok(None);
        }
        let rows = rows::labels(self.connection, target, to, vec![value.to_owned()]).await?;
        Ok(rows.into_values().next().map(|row| {
            let url = (self.url_of)(target).map(|base| format!("{base}{}/", row.key));
            (row.label, url)
        }))
    }
}

impl Input {
    /// Of a password that is chosen, which is no column by itself.
    pub(crate) fn password(name: &str, title: &str, errors: Vec<String>, help: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            look: Look::Secret,
            input_type: "password",
            input_mode: None,
            value: String::new(),
            options: Vec::new(),
            max_chars: None,
            min: None,
            max: None,
            step: None,
            is_required: true,
            help: Some(help.to_owned()).filter(|help| !help.is_empty()).into_iter().collect(),
            errors,
            label: None,
            url: None,
        }
    }

    fn new(field: &Field, look: Look, value: &str) -> Self {
        Self {
            name: field.name.clone(),
            title: field.title.clone(),
            look,
            input_type: "text",
            input_mode: None,
            value: value.to_owned(),
            options: Vec::new(),
            max_chars: None,
            min: None,
            max: None,
            step: None,
            is_required: !field.null && !field.has_default && !field.blank,
            help: field.help.clone().into_iter().collect(),
            errors: Vec::new(),
            label: None,
            url: None,
        }
    }
}

/// With what is chosen among them, also where it is none of them.
fn choices<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>, chosen: &str) -> Vec<Choice> {
    let choice = |(value, title): (&str, &str)| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        is_selected: value == chosen,
    };
    let mut choices: Vec<Choice> = all.into_iter().map(choice).collect();
    if !choices.iter().any(|choice| choice.is_selected) {
        choices.push(choice((chosen, chosen)));
        choices.last_mut().expect("one was pushed").is_selected = true;
    }
    choices
}
