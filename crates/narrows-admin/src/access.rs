//! Who is in which group, and who may what: given by superusers alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Form, Path};
use axum::response::{IntoResponse, Redirect};
use narrows_django::UserModel;
use narrows_models::sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use narrows_models::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};
use serde::Serialize;

use crate::log::{self, Action, Change};
use crate::model::{Model, Role};
use crate::rows::{self, Key, Row};
use crate::shell::{AdminPage, Staff};
use crate::value;
use narrows_django::begin_writing;

/// More groups or permissions than these nobody ticks.
const MAX: u64 = 5_000;

/// The tables that say who has what.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) groups: String,
    pub(crate) permissions: String,
    pub(crate) user_column: String,
}

impl Tables {
    pub(crate) fn of(users: &UserModel) -> Self {
        Self {
            groups: users.groups_table(),
            permissions: users.permissions_table(),
            user_column: users.link_column(),
        }
    }
}

/// What can be given: a group or a permission.
#[derive(Debug, Clone, Serialize)]
struct Offer {
    id: i64,
    title: String,
    is_given: bool,
}

/// A table that gives one kind of thing to one kind of owner.
#[derive(Debug, Clone)]
struct Giving {
    /// The name of the inputs, and of the change in the log.
    name: &'static str,
    table: String,
    owner: String,
    given: &'static str,
}

/// What was ticked in a form, and what was unticked. What somebody else gave or took in the meantime is neither.
#[derive(Debug)]
struct Wanted {
    giving: Giving,
    new: BTreeSet<i64>,
    taken: BTreeSet<i64>,
}

/// What the page of an owner gives.
fn givings(page: &AdminPage, model: &Model) -> Vec<Giving> {
    let tables = Tables::of(page.site().accounts().user_model());
    let (table, owner) = match model.role {
        Role::Users => (tables.permissions, tables.user_column.clone()),
        _ => ("auth_group_permissions".to_owned(), "group_id".to_owned()),
    };
    let permissions = Giving { name: "permissions", table, owner, given: "permission_id" };
    if model.role != Role::Users {
        return vec![permissions];
    }
    let groups =
        Giving { name: "groups", table: tables.groups, owner: tables.user_column, given: "group_id" };
    vec![groups, permissions]
}

/// The form.
pub(crate) async fn page(page: AdminPage, db: Db, Path((table, key)): Path<(String, String)>) -> Result {
    let (model, row) = found(&page, &db, &table, &key).await?;
    let base = page.url_of(&model)?;
    let own = format!("{base}{}/", row.key);
    let mut sets = Vec::new();
    for giving in givings(&page, &model) {
        let given = given(&db, &model, &giving, &row.key).await?;
        let mut offers = offers(&db, &giving).await?;
        for offer in &mut offers {
            offer.is_given = given.contains(&offer.id);
        }
        let title = if giving.name == "groups" { "Groups" } else { "Permissions" };
        let was: Vec<String> = given.iter().map(ToString::to_string).collect();
        let offers = Value::from(Serde(offers));
        sets.push(context! { name => giving.name, title, offers, was => was.join(",") });
    }
    page.render(
        "admin/access.html",
        context! {
            title => format!("What {} may do", row.label),
            crumbs => page.crumbs(&[(&model.plural, Some(&base)), (&row.label, Some(&own)), ("Permissions", None)]),
            sets,
        },
    )
}

pub(crate) async fn submit(
    page: AdminPage,
    db: Db,
    Path((table, key)): Path<(String, String)>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result {
    let (model, row) = found(&page, &db, &table, &key).await?;
    let mut wanted = Vec::new();
    for giving in givings(&page, &model) {
        let ids = |name: &str| -> Result<BTreeSet<i64>, Error> {
            let texts = pairs.iter().filter(|(known, _)| known == name).flat_map(|(_, ids)| ids.split(','));
            let ids = texts.filter(|id| !id.is_empty()).map(str::parse::<i64>);
            ids.collect::<Result<_, _>>().map_err(|_| Error::bad_request())
        };
        // What was given when the form was made; without it nothing is taken.
        let (ticked, was) = (ids(giving.name)?, ids(&format!("{}_was", giving.name))?);
        let new = ticked.difference(&was).copied().collect();
        let taken = was.difference(&ticked).copied().collect();
        wanted.push(Wanted { giving, new, taken });
    }
    let (staff, the_model, the_row) = (page.staff().clone(), model.clone(), row.clone());
    if !db.database().run(|pool| give(pool, staff, the_model, the_row, wanted)).await? {
        return Err(Error::not_found());
    }
    page.success(format!("What {} may do was saved.", row.label));
    Ok(Redirect::to(&format!("{}{}/", page.url_of(&model)?, row.key)).into_response())
}

async fn found(page: &AdminPage, db: &Db, table: &str, key: &str) -> Result<(Arc<Model>, Row)> {
    let model = page.admin().find(table).cloned().ok_or_else(Error::not_found)?;
    if model.role == Role::Plain {
        return Err(Error::not_found());
    }
    if !page.staff().user().is_superuser {
        return Err(Error::forbidden());
    }
    let key = Key::parse(&model, key).ok_or_else(Error::not_found)?;
    let row = rows::one(db, &model, &key, false).await?.ok_or_else(Error::not_found)?;
    Ok((model, row))
}

async fn offers<C: ConnectionTrait>(connection: &C, giving: &Giving) -> Result<Vec<Offer>, DbErr> {
    let backend = connection.get_database_backend();
    let id = |table: &'static str| value::text(Expr::col((table, "id")), backend);
    let mut select = Query::select();
    if giving.name == "groups" {
        select
            .expr(id("auth_group"))
            .column("name")
            .from("auth_group")
            .order_by("name", narrows_models::sea_orm::Order::Asc);
    } else {
        use narrows_models::sea_orm::Order;
        let same = Expr::col(("django_content_type", "id")).equals(("auth_permission", "content_type_id"));
        select
            .expr(id("auth_permission"))
            .column(("auth_permission", "name"))
            .column(("django_content_type", "app_label"))
            .from("auth_permission")
            .inner_join("django_content_type", same)
            .order_by(("django_content_type", "app_label"), Order::Asc)
            .order_by(("django_content_type", "model"), Order::Asc)
            .order_by(("auth_permission", "codename"), Order::Asc);
    }
    let rows = connection.query_all(select.limit(MAX)).await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get_by_index(0)?;
            let name: String = row.try_get_by_index(1)?;
            let title = match giving.name {
                "groups" => name,
                _ => format!("{}: {name}", row.try_get_by_index::<String>(2)?),
            };
            let id = id.parse().map_err(|_| DbErr::Type("a key is no number".to_owned()))?;
            Ok(Offer { id, title, is_given: false })
        })
        .collect()
}

async fn given<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    giving: &Giving,
    key: &Key,
) -> Result<BTreeSet<i64>, DbErr> {
    let backend = connection.get_database_backend();
    let Some(owner) = owner(model, key, backend) else { return Ok(BTreeSet::new()) };
    let select = Query::select()
        .expr(value::text(Expr::col(Alias::new(giving.given)), backend))
        .from(Alias::new(&giving.table))
        .and_where(Expr::col(Alias::new(&giving.owner)).eq(owner))
        .to_owned();
    let rows = connection.query_all(&select).await?;
    let read = |row: &narrows_models::sea_orm::QueryResult| {
        let id: String = row.try_get_by_index(0)?;
        id.parse().map_err(|_| DbErr::Type("a key is no number".to_owned()))
    };
    rows.iter().map(read).collect()
}

fn owner(model: &Model, key: &Key, backend: narrows_models::sea_orm::DbBackend) -> Option<Expr> {
    value::bind(&model.fields[model.key[0]], &key.0.first().cloned(), backend)
}

/// Gives what was ticked, and takes what was unticked; says whether the owner is there.
async fn give(
    pool: DatabaseConnection,
    staff: Staff,
    model: Arc<Model>,
    row: Row,
    wanted: Vec<Wanted>,
) -> Result<bool, DbErr> {
    let transaction = begin_writing(&pool).await?;
    let backend = transaction.get_database_backend();
    // Of two who give at once one waits for the other.
    let there = rows::one(&transaction, &model, &row.key, true).await?;
    let (Some(_), Some(owner)) = (there, owner(&model, &row.key, backend)) else {
        transaction.rollback().await?;
        return Ok(false);
    };
    let mut changes = Vec::new();
    for Wanted { giving, new, taken } in wanted {
        let offers = offers(&transaction, &giving).await?;
        let known: BTreeSet<i64> = offers.iter().map(|offer| offer.id).collect();
        let before = given(&transaction, &model, &giving, &row.key).await?;
        let taken: Vec<i64> = taken.into_iter().filter(|id| before.contains(id)).collect();
        let new: Vec<i64> = new.into_iter().filter(|id| known.contains(id) && !before.contains(id)).collect();
        if !taken.is_empty() {
            let delete = Query::delete()
                .from_table(Alias::new(&giving.table))
                .and_where(Expr::col(Alias::new(&giving.owner)).eq(owner.clone()))
                .and_where(Expr::col(Alias::new(giving.given)).is_in(taken.iter().copied()))
                .to_owned();
            transaction.execute(&delete).await?;
        }
        for id in &new {
            let insert = Query::insert()
                .into_table(Alias::new(&giving.table))
                .columns([Alias::new(&giving.owner), Alias::new(giving.given)])
                .values([owner.clone(), Expr::val(*id)])
                .expect("there are as many values as columns")
                .to_owned();
            transaction.execute(&insert).await?;
        }
        let titles = |ids: &[i64]| {
            let titles =
                offers.iter().filter(|offer| ids.contains(&offer.id)).map(|offer| offer.title.clone());
            let titles: Vec<String> = titles.collect();
            (!titles.is_empty()).then(|| titles.join(", "))
        };
        if !(taken.is_empty() && new.is_empty()) {
            changes.push(Change::of(giving.name, titles(&taken).as_deref(), titles(&new).as_deref()));
        }
    }
    if !changes.is_empty() {
        log::write(&transaction, &staff, Action::Change, &model.table, &row.key, &row.label, &changes)
            .await?;
    }
    transaction.commit().await?;
    Ok(true)
}
