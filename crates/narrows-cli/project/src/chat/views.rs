//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::models::sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, SqlErr};
use narrows_web::{Db, Form, Page, Result, context};
use serde::Deserialize;

use super::consumers;
use super::models::room;

/// What is typed for a new room.
#[derive(Debug, Deserialize, Validate)]
pub struct NewRoom {
    #[garde(length(chars, min = 1, max = 50), custom(name))]
    name: String,
    #[garde(length(chars, max = 200))]
    topic: String,
}

/// The list of rooms, and a form for another one.
pub async fn index(page: Page, db: Db) -> Result {
    show_index(&page, &db, &Form::new()).await
}

/// Makes a room, or shows the form again with what is wrong.
pub async fn create(page: Page, db: Db, mut form: Form<NewRoom>) -> Result {
    let Ok(new) = form.check() else { return show_index(&page, &db, &form).await };
    let row = room::ActiveModel { name: Set(new.name.clone()), topic: Set(new.topic), ..Default::default() };
    match room::Entity::insert(row).exec(&db).await {
        Ok(_) => {
            page.success(format!("The room {} is open.", new.name));
            page.redirect("chat:room", &[("room", &new.name)])
        }
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            form.error("name", "There is a room of this name already.");
            show_index(&page, &db, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A room. Its messages come by its socket: see `consumers.rs`.
pub async fn room(Path(name): Path<String>, page: Page, db: Db) -> Result {
    let room = consumers::find(&db, &name).await?;
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, present })
}

async fn show_index(page: &Page, db: &Db, form: &Form<NewRoom>) -> Result {
    let rooms = room::Entity::find().order_by_asc(room::Column::Name).all(db).await?;
    page.render("chat/index.html", context! { rooms, form })
}

/// A name stands in addresses.
fn name(name: &str, (): &()) -> garde::Result {
    let is_legal = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_legal { Ok(()) } else { Err(garde::Error::new("use small letters, digits and hyphens")) }
}
