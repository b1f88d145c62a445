//! Models as the project's apps know them.

use narrows_models::schema::{Action, ForeignKey, Table};
use narrows_models::sea_orm::sea_query::{Alias, ColumnType, IntoTableRef, StringLen};

use super::{Field, Kind, Label, Link, Model, OnDelete, words};

impl Model {
    /// A table that has rows, but no pages here.
    pub(crate) fn hidden(app: &str, table: &str, schema: &Table) -> Self {
        let fields: Vec<Field> = schema
            .columns
            .iter()
            .map(|column| Field {
                name: column.name.clone(),
                title: words::title(&column.name, false),
                kind: Kind::of(&column_type(&column.kind)),
                null: column.null,
                has_default: column.default.is_some(),
                default: None,
                read_only: true,
                for_superusers: false,
                secret: false,
                blank: false,
                help: None,
            })
            .collect();
        let at = |name: &String| fields.iter().position(|field| field.name == *name);
        let key: Vec<usize> = schema.primary_key.iter().filter_map(at).collect();
        let mut model = Self {
            table: table.to_owned(),
            table_ref: Alias::new(table).into_table_ref(),
            app: String::new(),
            name: String::new(),
            singular: String::new(),
            plural: String::new(),
            list: key.clone(),
            key,
            fields,
            auto_key: false,
            unique: Vec::new(),
            links: Vec::new(),
            search: Vec::new(),
            filters: Vec::new(),
            order: None,
            per_page: 1,
            label: Label::Key,
            has_own_names: false,
            has_own_permissions: false,
            role: super::Role::Plain,
            derived: Vec::new(),
            no_adding: false,
        };
        model.learn(app, schema);
        model
    }

    /// Takes over what the app's schema says: whose it is, what is unique, what points where.
    pub(crate) fn learn(&mut self, app: &str, schema: &Table) {
        if !self.has_own_permissions {
            let name = self.table.strip_prefix(&format!("{app}_")).unwrap_or(&self.table).to_owned();
            self.belongs_to(app, &name);
        }
        let fields = |names: &[String]| names.iter().map(|name| self.field(name)).collect::<Option<Vec<_>>>();
        let unique: Vec<Vec<usize>> = schema
            .indexes
            .iter()
            .filter(|index| index.unique)
            .filter_map(|index| fields(&index.columns))
            .collect();
        let links: Vec<Link> =
            schema.foreign_keys.iter().filter_map(|key| Some(link(fields(&key.columns)?, key))).collect();
        for column in &schema.columns {
            if let (Some(at), narrows_models::schema::Kind::Varchar(max)) =
                (self.field(&column.name), &column.kind)
                && let Kind::Text { max_chars, .. } = &mut self.fields[at].kind
            {
                *max_chars = Some(*max);
            }
        }
        self.unique.extend(unique);
        self.unique.sort_unstable();
        self.unique.dedup();
        // The schema is what the database does; a relation beside it is what the pages show.
        self.links
            .retain(|old| !links.iter().any(|new| new.fields == old.fields && new.to_table == old.to_table));
        self.links.extend(links);
    }
}

fn link(fields: Vec<usize>, key: &ForeignKey) -> Link {
    let on_delete = match key.on_delete {
        Action::Cascade => OnDelete::Cascade,
        Action::SetNull => OnDelete::SetNull,
        Action::SetDefault => OnDelete::SetDefault,
        _ => OnDelete::Refuse,
    };
    Link { fields, to_table: key.to_table.clone(), to_columns: key.to_columns.clone(), on_delete }
}

fn column_type(kind: &narrows_models::schema::Kind) -> ColumnType {
    use narrows_models::schema::Kind as K;
    match kind {
        K::Boolean => ColumnType::Boolean,
        K::SmallInteger => ColumnType::SmallInteger,
        K::Integer => ColumnType::Integer,
        K::BigInteger => ColumnType::BigInteger,
        K::Float => ColumnType::Float,
        K::Double => ColumnType::Double,
        K::Decimal(all, scale) => ColumnType::Decimal(Some((*all, *scale))),
        K::Varchar(max) => ColumnType::String(StringLen::N(*max)),
        K::Text | K::Bytes => ColumnType::Text,
        K::Date => ColumnType::Date,
        K::Time => ColumnType::Time,
        K::DateTime => ColumnType::TimestampWithTimeZone,
        K::LocalDateTime => ColumnType::DateTime,
        K::Uuid => ColumnType::Uuid,
        K::Json => ColumnType::Json,
        _ => ColumnType::Text,
    }
}
