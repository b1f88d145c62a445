//! Django's users and groups as models.

use narrows_django::{KeyKind, UserModel};
use narrows_models::sea_orm::sea_query::{Alias, IntoTableRef};

use super::{Field, Kind, Label, Link, Model, OnDelete};
use crate::listed::Filter;

impl Model {
    /// The users.
    pub(crate) fn users(users: &UserModel) -> Self {
        let key_kind = match users.key_kind {
            KeyKind::Integer => integer(i32::MAX.into()),
            KeyKind::BigInteger => integer(i64::MAX),
            KeyKind::Uuid => Kind::UuidDigits,
            _ => text(254),
        };
        let mut fields = vec![field(&users.key, key_kind)];
        if users.key != users.username {
            fields.push(field(&users.username, text(150)));
        }
        let texts = [(&users.email, 254), (&users.first_name, 150), (&users.last_name, 150)];
        for (column, max) in texts {
            let new = column.as_ref().filter(|column| **column != users.username);
            fields.extend(new.map(|column| Field { blank: true, ..field(column, text(max)) }));
        }
        let flags = [(&users.is_active, false), (&users.is_staff, true), (&users.is_superuser, true)];
        for (column, for_superusers) in flags {
            fields.extend(column.as_ref().map(|column| Field {
                default: (!for_superusers).then(|| "true".to_owned()),
                for_superusers,
                ..field(column, Kind::Boolean)
            }));
        }
        let times = [(&Some("last_login".to_owned()), true), (&users.date_joined, false)];
        for (column, null) in times {
            fields.extend(column.as_ref().map(|column| Field {
                null,
                read_only: true,
                ..field(column, Kind::DateTime)
            }));
        }
        fields.push(Field { secret: true, read_only: true, ..field("password", text(128)) });
        let mut model = table(&users.table, fields);
        let at = |column: &Option<String>| column.as_ref().and_then(|column| model.field(column));
        let some = |all: &[Option<usize>]| all.iter().copied().flatten().collect::<Vec<_>>();
        let username = model.field(&users.username).unwrap_or_default();
        let (email, staff, active) = (at(&users.email), at(&users.is_staff), at(&users.is_active));
        let list = some(&[Some(username), email, staff, active, model.field("last_login")]);
        let search = some(&[Some(username), email, at(&users.first_name), at(&users.last_name)]);
        let filters = some(&[staff, at(&users.is_superuser), active]);
        model.filters = filters.into_iter().map(|field| Filter { field }).collect();
        (model.list, model.search) = (list, search);
        model.order = Some((username, false));
        model.label = Label::Field(username);
        model.unique.push(vec![username]);
        model.auto_key = matches!(users.key_kind, KeyKind::Integer | KeyKind::BigInteger);
        model.role = Role::Users;
        model
    }

    /// The groups.
    pub(crate) fn groups() -> Self {
        let mut model =
            table("auth_group", vec![field("id", integer(i32::MAX.into())), field("name", text(150))]);
        (model.list, model.search, model.label) = (vec![1], vec![1], Label::Field(1));
        model.order = Some((1, false));
        model.unique.push(vec![1]);
        model.auto_key = true;
        model.role = Role::Groups;
        model
    }

    /// The tables that say who has which group and permission. They go with both.
    pub(crate) fn memberships(users: &str, user_key: &str, links: &crate::access::Tables) -> Vec<Self> {
        let link = |table_name: &str, ends: [(&str, &str, &str); 2]| {
            let fields = vec![
                field("id", integer(i64::MAX)),
                field(ends[0].0, integer(i64::MAX)),
                field(ends[1].0, integer(i64::MAX)),
            ];
            let mut model = table(table_name, fields);
            model.links = ends
                .iter()
                .zip(1..)
                .map(|((_, to_table, to), field)| Link {
                    fields: vec![field],
                    to_table: (*to_table).to_owned(),
                    to_columns: vec![(*to).to_owned()],
                    on_delete: OnDelete::Cascade,
                })
                .collect();
            model
        };
        let user = (links.user_column.as_str(), users, user_key);
        let (group, permission) =
            (("group_id", "auth_group", "id"), ("permission_id", "auth_permission", "id"));
        vec![
            link(&links.groups, [user, group]),
            link(&links.permissions, [user, permission]),
            link("auth_group_permissions", [group, permission]),
        ]
    }
}

/// What a model is to the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// Nothing.
    #[default]
    Plain,
    Users,
    Groups,
}

fn integer(max: i64) -> Kind {
    Kind::Integer { min: 0, max }
}

fn text(max: u32) -> Kind {
    Kind::Text { max_chars: Some(max), lines: false }
}

fn field(name: &str, kind: Kind) -> Field {
    let title = match name.strip_prefix("is_").unwrap_or(name) {
        "staff" => "Staff".to_owned(),
        name => super::title(name),
    };
    Field {
        name: name.to_owned(),
        title,
        kind,
        null: false,
        has_default: false,
        default: None,
        read_only: false,
        for_superusers: false,
        secret: false,
        blank: false,
        help: None,
    }
}

fn table(name: &str, fields: Vec<Field>) -> Model {
    let mut model = Model {
        table: name.to_owned(),
        table_ref: Alias::new(name).into_table_ref(),
        app: String::new(),
        name: String::new(),
        singular: String::new(),
        plural: String::new(),
        fields,
        key: vec![0],
        auto_key: false,
        unique: vec![vec![0]],
        links: Vec::new(),
        list: vec![0],
        search: Vec::new(),
        filters: Vec::new(),
        order: None,
        per_page: 50,
        label: Label::Key,
        has_own_names: false,
        has_own_permissions: false,
        role: Role::Plain,
        derived: Vec::new(),
        no_adding: false,
    };
    let (app, own) = name.split_once('_').unwrap_or(("auth", name));
    model.belongs_to(app, own);
    model
}
