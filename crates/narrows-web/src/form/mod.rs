//! Forms: what was typed, checked, and shown again with what is wrong with it.

mod errors;
mod extract;
mod fields;
mod reader;
mod value;

use std::fmt;
use std::marker::PhantomData;

use garde::Validate;
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

pub use self::errors::FormErrors;
use self::fields::Fields;

/// A form as it was sent, to be [checked](Self::check), and to be shown again.
///
/// ```
/// use garde::Validate;
/// use narrows_web::{Form, Page, Result, context};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, Validate)]
/// struct NewRoom {
///     #[garde(length(chars, min = 1, max = 40))]
///     name: String,
///     #[garde(range(min = 2, max = 100))]
///     seats: u32,
///     #[garde(skip)]
///     topic: Option<String>, // nothing typed is None
///     #[garde(skip)]
///     public: bool, // a checkbox
/// }
///
/// async fn new(page: Page) -> Result {
///     page.render("chat/new.html", context! { form => Form::<NewRoom>::new() })
/// }
///
/// async fn create(page: Page, mut form: Form<NewRoom>) -> Result {
///     if let Ok(room) = form.check() {
///         if room.name != "lobby" {
///             return page.redirect("chat:room", &[("room", &room.name)]);
///         }
///         form.error("name", "There is a lobby already.");
///     }
///     page.invalid("chat/new.html", context! { form })
/// }
/// ```
///
/// # In a template
/// `form.values.name` is what was typed into the field `name`, `form.lists.name` all that came under this name,
/// `form.errors.name` the list of what is wrong with it, and `form.errors.form` with the form as a whole. The macros of the
/// built-in template `narrows/forms.html` write labels, inputs and errors as screen readers need them:
///
/// ```html
/// {% from "narrows/forms.html" import field, form_errors %}
/// <form method="post">
///   {{ form_errors(form) }}
///   {{ field(form, "name", label="Name", required=true) }}
///   {{ field(form, "seats", label="Seats", type="number") }}
///   <button>Make the room</button>
/// </form>
/// ```
///
/// What was typed into a field with `password` in its name, or one that the form was told to [forget](Self::forget), is never
/// given back.
///
/// # What is read
/// As an extractor it takes `application/x-www-form-urlencoded`, and the query of a GET. A value that is wrong never refuses
/// the request; what is no such form at all does: 415 for another type, 413 for more than axum's limit of the body (2 MB), 400
/// for what is no UTF-8 or has more than 1000 values.
///
/// * Texts are as they were typed. A text with a NUL in it is an error of its field, as no database takes it.
/// * Numbers, and whatever else reads itself from a text – dates, UUIDs, addresses – may have space around them; what cannot
///   be read is an error of its field, next to those of all other fields. Where nothing was typed the field is required,
///   unless it is an `Option`.
/// * `bool` is a checkbox: false where it is missing.
/// * An enum without fields is one of a few: radio buttons, a `select`.
/// * A `Vec` is all values that came under its name, without the empty ones. Of anything else the last one counts.
/// * `#[serde(default)]` holds where the name did not come. Structs within the struct, and files, are not supported.
///
/// Errors are found by the names of the fields, so one that serde renames needs the same name for both.
pub struct Form<T> {
    fields: Fields,
    errors: FormErrors,
    secrets: Vec<String>,
    of: PhantomData<fn() -> T>,
}

impl<T> Form<T> {
    /// A form into which nothing was typed yet.
    pub fn new() -> Self {
        Self::from_fields(Fields::default())
    }

    /// A form with these values in its fields, to change something that is there.
    ///
    /// ```
    /// use narrows_web::Form;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Room { name: &'static str, seats: u32 }
    ///
    /// let form = Form::<()>::filled(&Room { name: "lobby", seats: 40 });
    /// assert_eq!(form.value("seats"), Some("40"));
    /// ```
    ///
    /// Texts, numbers, truth values, and lists of them; what else there is stays empty.
    pub fn filled(values: &impl Serialize) -> Self {
        Self::from_fields(Fields::of(values))
    }

    fn from_fields(fields: Fields) -> Self {
        Self { fields, errors: FormErrors::default(), secrets: Vec::new(), of: PhantomData }
    }

    /// What was typed into a field; the last, where it came more than once.
    pub fn value(&self, field: &str) -> Option<&str> {
        self.fields.last(field)
    }

    /// Adds what is wrong with a field, or with the whole form where it is called `form`.
    pub fn error(&mut self, field: &str, text: impl Into<String>) {
        self.errors.add(field, text);
    }

    /// What is wrong, as far as it was checked.
    pub fn errors(&self) -> &FormErrors {
        &self.errors
    }

    /// Does not give back what was typed into this field.
    pub fn forget(&mut self, field: &str) {
        self.secrets.push(field.to_owned());
    }

    fn is_secret(&self, field: &str) -> bool {
        field.to_ascii_lowercase().contains("password") || self.secrets.iter().any(|secret| secret == field)
    }
}

impl<T: DeserializeOwned + Validate<Context = ()>> Form<T> {
    /// Reads and checks what was typed. Each call does it anew: errors that were [added](Self::error) before are gone.
    ///
    /// # Errors
    /// What is wrong, for all fields at once. The form keeps it too, for its template.
    pub fn check(&mut self) -> Result<T, FormErrors> {
        let (value, mut errors) = reader::read::<T>(&self.fields);
        if let Some(value) = &value
            && let Err(report) = value.validate()
        {
            errors.add_report(&report, &self.fields);
        }
        self.errors = errors.clone();
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(errors),
        }
    }
}

impl<T> Default for Form<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// As a template takes it: `values`, `lists` and `errors`.
impl<T> Serialize for Form<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = || self.fields.iter().filter(|(name, _)| !self.is_secret(name));
        let values: std::collections::BTreeMap<_, _> =
            shown().filter_map(|(name, texts)| Some((name, texts.last()?))).collect();
        let lists: std::collections::BTreeMap<_, _> = shown().collect();
        let mut form = serializer.serialize_struct("Form", 3)?;
        form.serialize_field("values", &values)?;
        form.serialize_field("lists", &lists)?;
        form.serialize_field("errors", &self.errors)?;
        form.end()
    }
}

impl<T> From<&Form<T>> for minijinja::Value {
    fn from(form: &Form<T>) -> Self {
        Self::from(minijinja::value::Serde(form))
    }
}

impl<T> From<Form<T>> for minijinja::Value {
    fn from(form: Form<T>) -> Self {
        Self::from(&form)
    }
}

impl<T> fmt::Debug for Form<T> {
    /// Without what was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Form").field("fields", &names).field("errors", &self.errors).finish_non_exhaustive()
    }
}
