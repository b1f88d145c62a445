use std::marker::PhantomData;
use std::sync::Arc;

use narrows_models::sea_orm::{EntityTrait, IdenStatic as _, Order};

use crate::model::{Derived, Model};

/// How the rows of one model are listed and edited.
///
/// ```
/// mod room {
///     use narrows_admin::sea_orm;
///     use narrows_admin::sea_orm::entity::prelude::*;
///
///     #[sea_orm::model]
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
///     #[sea_orm(table_name = "chat_room")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i64,
///         #[sea_orm(unique)]
///         pub name: String,
///         pub open: bool,
///     }
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
///
/// use narrows_admin::{Admin, Listed, sea_orm::Order};
///
/// let rooms = Listed::new(room::Entity)
///     .list([room::Column::Name, room::Column::Open])
///     .search([room::Column::Name])
///     .filter([room::Column::Open])
///     .order_by(room::Column::Name, Order::Asc);
/// let app = Admin::new().title("My site").model(rooms).app();
/// ```
#[derive(Debug)]
pub struct Listed<E: EntityTrait> {
    pub(crate) model: Model,
    entity: PhantomData<E>,
}

/// A column that a list is narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) field: usize,
}

impl<E: EntityTrait> Listed<E> {
    /// As its columns say: the first six are listed, and rows are called by their first text.
    pub fn new(entity: E) -> Self {
        Self { model: Model::read(entity), entity: PhantomData }
    }

    /// The app that it is of and its own name, as permissions say them: `chat`, `room` for `chat.change_room`. Default
    /// the app that has it among its models, and the table's name without the app's.
    #[must_use]
    pub fn permissions(mut self, app: &str, name: &str) -> Self {
        self.model.belongs_to(app, name);
        self.model.has_own_permissions = true;
        self
    }

    /// What one row is called, and what many are: `Person`, `People`. Default made of the table's name.
    #[must_use]
    pub fn names(mut self, one: &str, many: &str) -> Self {
        self.model.has_own_names = true;
        one.clone_into(&mut self.model.singular);
        many.clone_into(&mut self.model.plural);
        self
    }

    /// What a row is called. Default its first text. All its columns are read for it, wherever it is named.
    #[must_use]
    pub fn label(mut self, of: impl Fn(&E::Model) -> String + Send + Sync + 'static) -> Self {
        self.model.label = Model::own_label::<E>(of);
        self
    }

    /// The columns of the list.
    #[must_use]
    pub fn list(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        self.model.list = self.fields(columns);
        self
    }

    /// The columns in which words are looked for. Default none: there is no search.
    #[must_use]
    pub fn search(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        self.model.search = self.fields(columns);
        self
    }

    /// The columns by which the list can be narrowed: yes or no, one of few values, a row that is pointed at,
    /// a time. JSON, bytes and types that only one database knows are left out.
    #[must_use]
    pub fn filter(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        self.model.filters = self.fields(columns).into_iter().map(|field| Filter { field }).collect();
        self
    }

    /// What the list is ordered by until somebody chooses. Default the key, the greatest first.
    #[must_use]
    pub fn order_by(mut self, column: E::Column, order: Order) -> Self {
        let field = self.fields([column]).pop();
        self.model.order = field.map(|field| (field, order == Order::Desc));
        self
    }

    /// Columns that are shown and not edited.
    #[must_use]
    pub fn read_only(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for field in self.fields(columns) {
            self.model.fields[field].read_only = true;
        }
        self
    }

    /// Columns that are never shown, and kept out of the log; what is typed takes the place of what is there. Those whose
    /// names speak of passwords, secrets, tokens or keys are anyway.
    #[must_use]
    pub fn secret(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for field in self.fields(columns) {
            self.model.fields[field].secret = true;
        }
        self
    }

    /// A column that is made anew from another one whenever that one is saved by a form: a slug, a text to search in. It is
    /// not in forms itself. Where the other one is NULL, so is this one, or it is made from the empty text.
    ///
    /// ```
    /// # mod room {
    /// #     use narrows_admin::sea_orm;
    /// #     use narrows_admin::sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "chat_room")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key)]
    /// #         pub id: i64,
    /// #         pub name: String,
    /// #         pub slug: String,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use narrows_admin::Listed;
    ///
    /// let rooms = Listed::new(room::Entity)
    ///     .derived(room::Column::Slug, room::Column::Name, |name| name.to_lowercase().replace(' ', "-"));
    /// ```
    #[must_use]
    pub fn derived(
        mut self,
        to: E::Column,
        from: E::Column,
        make: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        if let [to, from] = self.fields([to, from])[..] {
            self.model.derived.retain(|derived| derived.to != to);
            self.model.derived.push(Derived { to, from, make: Arc::new(make) });
        }
        self
    }

    /// Nobody adds rows here, whatever they may: the program alone makes them.
    #[must_use]
    pub fn no_adding(mut self) -> Self {
        self.model.no_adding = true;
        self
    }

    /// Texts that may be empty, though they may not be NULL.
    #[must_use]
    pub fn blank(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        for field in self.fields(columns) {
            self.model.fields[field].blank = true;
        }
        self
    }

    /// What the form says of a column.
    #[must_use]
    pub fn help(mut self, column: E::Column, text: &str) -> Self {
        for field in self.fields([column]) {
            self.model.fields[field].help = Some(text.to_owned());
        }
        self
    }

    /// How many rows a page has, 1000 at most. Default 50.
    #[must_use]
    pub fn per_page(mut self, rows: u64) -> Self {
        self.model.per_page = rows.clamp(1, 1000);
        self
    }

    fn fields(&self, columns: impl IntoIterator<Item = E::Column>) -> Vec<usize> {
        let find = |column: E::Column| self.model.field(column.as_str());
        columns.into_iter().filter_map(find).collect()
    }
}
