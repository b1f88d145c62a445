//! The pages.

use garde::Validate;
use narrows_web::sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};
use narrows_web::{Db, Form, Page, Result, context};
use serde::Deserialize;

use super::consumers::{News, readers};
use super::models::item;

/// What is typed for a new item.
#[derive(Debug, Deserialize, Validate)]
pub struct NewItem {
    #[garde(length(chars, min = 1, max = 200))]
    text: String,
}

/// The list, and a form for another item.
pub async fn index(page: Page, db: Db) -> Result {
    let (items, form) = (items(&db).await?, Form::<NewItem>::new());
    page.render("newapp/index.html", context! { items, form })
}

/// Adds an item and tells all pages, or shows the form again with what is wrong.
pub async fn add(page: Page, db: Db, mut form: Form<NewItem>) -> Result {
    let Ok(NewItem { text }) = form.check() else {
        let items = items(&db).await?;
        return page.invalid("newapp/index.html", context! { items, form });
    };
    let item = item::ActiveModel {
        text: Set(text),
        ..Default::default()
    };
    let text = item.insert(&db).await?.text;
    let channels = page.site().channels();
    channels
        .broadcast(&readers(), &News::Added { text })
        .await?;
    page.success("It is on the list.");
    page.redirect("newapp:index", &[])
}

async fn items(db: &Db) -> Result<Vec<item::Model>, DbErr> {
    let items = item::Entity::find().order_by_asc(item::Column::Id);
    items.all(db).await
}
