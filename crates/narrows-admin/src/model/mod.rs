//! What is known of a model: its columns, its key, and what it points at.

mod accounts;
mod kind;
mod schema;
mod words;

use std::fmt;
use std::sync::Arc;

use narrows_models::sea_orm::sea_query::{
    Alias, Expr, ForeignKeyAction, SelectStatement, SimpleExpr, TableRef,
};
use narrows_models::sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, PrimaryKeyToColumn,
    PrimaryKeyTrait, QueryResult, QueryTrait, RelationTrait,
};

pub(crate) use self::accounts::Role;
pub(crate) use self::kind::Kind;
use crate::listed::Filter;

/// A model that is shown, whatever its type was.
pub(crate) struct Model {
    pub(crate) table: String,
    table_ref: TableRef,
    /// The app that Django's permissions name, and the model's name there.
    pub(crate) app: String,
    pub(crate) name: String,
    /// `Room`, and `Rooms`.
    pub(crate) singular: String,
    pub(crate) plural: String,
    pub(crate) fields: Vec<Field>,
    /// The fields of the primary key.
    pub(crate) key: Vec<usize>,
    /// Whether the database makes the key.
    pub(crate) auto_key: bool,
    /// Sets of fields of which no two rows have the same.
    pub(crate) unique: Vec<Vec<usize>>,
    pub(crate) links: Vec<Link>,
    pub(crate) list: Vec<usize>,
    pub(crate) search: Vec<usize>,
    pub(crate) filters: Vec<Filter>,
    /// The field that rows are ordered by unless somebody says otherwise, and whether the greatest comes first.
    pub(crate) order: Option<(usize, bool)>,
    pub(crate) per_page: u64,
    pub(crate) label: Label,
    pub(crate) has_own_names: bool,
    pub(crate) has_own_permissions: bool,
    pub(crate) role: Role,
    /// Columns that are made anew from others.
    pub(crate) derived: Vec<Derived>,
    /// Whether nobody adds rows.
    pub(crate) no_adding: bool,
}

/// A column that is made anew whenever another one is saved.
#[derive(Clone)]
pub(crate) struct Derived {
    pub(crate) to: usize,
    pub(crate) from: usize,
    pub(crate) make: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

/// A title within a sentence: `Created at` is `created at`, and `ID` stays.
pub(crate) fn within(title: &str) -> String {
    let word = |word: &str| {
        let is_short_form = word.len() > 1 && word.chars().all(char::is_uppercase);
        if is_short_form { word.to_owned() } else { word.to_lowercase() }
    };
    title.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A name of SQL's or Rust's as people read it.
pub(crate) fn title(name: &str) -> String {
    words::title(name, false)
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    pub(crate) null: bool,
    pub(crate) has_default: bool,
    /// Its default, as the input of a new row shows it.
    pub(crate) default: Option<String>,
    pub(crate) read_only: bool,
    /// Edited by superusers alone.
    pub(crate) for_superusers: bool,
    /// Never shown; written where something is typed.
    pub(crate) secret: bool,
    /// A NOT NULL text that may be empty.
    pub(crate) blank: bool,
    pub(crate) help: Option<String>,
}

/// Fields that point at rows of a table.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) fields: Vec<usize>,
    pub(crate) to_table: String,
    pub(crate) to_columns: Vec<String>,
    pub(crate) on_delete: OnDelete,
}

/// What becomes of rows whose target goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDelete {
    /// The target cannot go.
    Refuse,
    Cascade,
    SetNull,
    SetDefault,
}

type LabelOf = Arc<dyn Fn(&QueryResult) -> Result<String, DbErr> + Send + Sync>;

/// How a row is called.
#[derive(Clone)]
pub(crate) enum Label {
    /// By this field.
    Field(usize),
    /// By its key.
    Key,
    /// By a function of the site's own, which takes the model as SeaORM selects it.
    Own { select: Box<SelectStatement>, of: LabelOf },
}

impl Model {
    /// As the entity's columns say.
    pub(crate) fn read<E: EntityTrait>(entity: E) -> Self {
        let key_columns: Vec<String> =
            E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect();
        let links = links::<E>();
        let points = |name: &str| links.iter().any(|link| link.0.len() == 1 && link.0[0] == name);
        let mut unique = Vec::new();
        let mut fields = Vec::new();
        for (at, column) in E::Column::iter().enumerate() {
            let (def, name) = (column.def(), column.as_str().to_owned());
            if def.is_unique() {
                unique.push(vec![at]);
            }
            fields.push(Field {
                title: words::title(&name, points(&name)),
                kind: Kind::of(def.get_column_type()),
                null: def.is_null(),
                has_default: def.get_column_default().is_some(),
                default: def.get_column_default().and_then(default_text),
                read_only: false,
                for_superusers: false,
                secret: words::is_secret(&name),
                blank: false,
                help: None,
                name,
            });
        }
        let at = |name: &str| fields.iter().position(|field| field.name == *name);
        let key: Vec<usize> = key_columns.iter().filter_map(|name| at(name)).collect();
        unique.push(key.clone());
        let links = links
            .into_iter()
            .filter_map(|(columns, to_table, to_columns, on_delete)| {
                let fields = columns.iter().map(|name| at(name)).collect::<Option<Vec<_>>>()?;
                Some(Link { fields, to_table, to_columns, on_delete })
            })
            .collect();
        let shown = |at: &usize| !fields[*at].secret && fields[*at].kind != Kind::Bytes;
        let label = first_text(&fields, &key);
        let long =
            |at: &usize| matches!(fields[*at].kind, Kind::Text { lines: true, .. } | Kind::Json { .. });
        let list: Vec<usize> = label
            .into_iter()
            .chain((0..fields.len()).filter(|at| Some(*at) != label && shown(at) && !long(at)))
            .take(6)
            .collect();
        let table = entity.table_name().to_owned();
        let mut model = Self {
            table_ref: entity.table_ref(),
            app: String::new(),
            name: String::new(),
            singular: String::new(),
            plural: String::new(),
            search: Vec::new(),
            filters: Vec::new(),
            order: None,
            per_page: 50,
            has_own_names: false,
            has_own_permissions: false,
            role: Role::Plain,
            derived: Vec::new(),
            no_adding: false,
            label: label.map_or(Label::Key, Label::Field),
            auto_key: key.len() == 1 && E::PrimaryKey::auto_increment(),
            list: if list.is_empty() { key.clone() } else { list },
            fields,
            key,
            unique,
            links,
            table,
        };
        let (app, name) = match model.table.split_once('_') {
            Some((app, name)) if !name.is_empty() => (app.to_owned(), name.to_owned()),
            _ => ("site".to_owned(), model.table.clone()),
        };
        model.belongs_to(&app, &name);
        model
    }

    /// Says which app it is of, and what it is called there.
    pub(crate) fn belongs_to(&mut self, app: &str, name: &str) {
        app.clone_into(&mut self.app);
        name.clone_into(&mut self.name);
        if self.has_own_names {
            return;
        }
        let one = words::singular(name);
        self.singular = words::title(&one, false);
        self.plural = words::title(&words::plural(&one), false);
    }

    /// Takes what is secret out of all that is shown, whatever else was said of it, and what cannot be compared out of
    /// orders and filters.
    pub(crate) fn seal(&mut self) {
        for Derived { to, from, .. } in &self.derived {
            self.fields[*to].secret |= self.fields[*from].secret;
        }
        let fields = &self.fields;
        let is_open = |at: &usize| !fields[*at].secret;
        self.list.retain(is_open);
        self.search.retain(is_open);
        self.filters.retain(|Filter { field }| is_open(field) && fields[*field].kind.is_compared());
        self.order = self.order.filter(|(at, _)| is_open(at) && fields[*at].kind.has_order());
        if matches!(&self.label, Label::Field(at) if !is_open(at)) {
            self.label = first_text(fields, &self.key).map_or(Label::Key, Label::Field);
        }
        if self.list.is_empty() {
            self.list.clone_from(&self.key);
        }
    }

    /// The column with this name.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == *name)
    }

    /// The link that a field by itself is.
    pub(crate) fn link_of(&self, field: usize) -> Option<&Link> {
        self.links.iter().find(|link| link.fields == [field])
    }

    /// The table, as SQL names it.
    pub(crate) fn table_ref(&self) -> TableRef {
        self.table_ref.clone()
    }

    /// Django's permission for `view`, `add`, `change` or `delete`.
    pub(crate) fn permission(&self, action: &str) -> String {
        format!("{}.{action}_{}", self.app, self.name)
    }

    /// What the field is made from, where it is made from another one.
    pub(crate) fn derived(&self, field: usize) -> Option<&Derived> {
        self.derived.iter().find(|derived| derived.to == field)
    }

    /// Whether the database or the program makes the value, so that forms do not ask for it.
    pub(crate) fn is_auto(&self, field: usize) -> bool {
        self.auto_key && self.key == [field]
    }

    pub(crate) fn own_label<E: EntityTrait>(
        of: impl Fn(&E::Model) -> String + Send + Sync + 'static,
    ) -> Label {
        Label::Own {
            select: Box::new(E::find().into_query()),
            of: Arc::new(move |row| Ok(of(&E::Model::from_query_result(row, "")?))),
        }
    }
}

impl Field {
    /// The column, as SQL names it.
    pub(crate) fn column(&self) -> Expr {
        Expr::col(Alias::new(&self.name))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("table", &self.table).finish_non_exhaustive()
    }
}

/// The text that a row is called by, unless somebody says otherwise: one that is no key, or else the key.
fn first_text(fields: &[Field], key: &[usize]) -> Option<usize> {
    let is_shown = |at: &usize| fields[*at].kind.is_text() && !fields[*at].secret;
    let others = (0..fields.len()).filter(|at| !key.contains(at));
    others.chain(key.iter().copied()).find(is_shown)
}

type Columns = Vec<String>;

/// What the entity's relations say that this table points at.
fn links<E: EntityTrait>() -> Vec<(Columns, String, Columns, OnDelete)> {
    let names = |identity: &narrows_models::sea_orm::Identity| -> Columns {
        identity.iter().map(ToString::to_string).collect()
    };
    let mut links = Vec::new();
    for relation in E::Relation::iter() {
        let def = relation.def();
        // SeaORM calls the side that is pointed at the owner.
        if def.is_owner {
            continue;
        }
        let Some(table) = table_name(&def.to_tbl) else { continue };
        let on_delete = match def.on_delete {
            Some(ForeignKeyAction::Cascade) => OnDelete::Cascade,
            Some(ForeignKeyAction::SetNull) => OnDelete::SetNull,
            Some(ForeignKeyAction::SetDefault) => OnDelete::SetDefault,
            _ => OnDelete::Refuse,
        };
        let link = (names(&def.from_col), table, names(&def.to_col), on_delete);
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

fn table_name(table: &TableRef) -> Option<String> {
    match table {
        TableRef::Table(name, _) => Some(name.1.to_string()),
        _ => None,
    }
}

/// A constant default as an input shows it.
fn default_text(default: &SimpleExpr) -> Option<String> {
    use narrows_models::sea_orm::Value;
    match default {
        SimpleExpr::Value(value) => match value {
            Value::Bool(Some(value)) => Some(value.to_string()),
            Value::TinyInt(Some(value)) => Some(value.to_string()),
            Value::SmallInt(Some(value)) => Some(value.to_string()),
            Value::Int(Some(value)) => Some(value.to_string()),
            Value::BigInt(Some(value)) => Some(value.to_string()),
            Value::Float(Some(value)) => Some(value.to_string()),
            Value::Double(Some(value)) => Some(value.to_string()),
            Value::String(Some(value)) => Some(value.to_string()),
            _ => None,
        },
        _ => None,
    }
}
