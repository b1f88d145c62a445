//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::sea_orm::{ActiveValue::Set, QueryOrder, SqlErr, entity::prelude::*};
use narrows_web::{Db, Error, Form, Page, Result, context};
use serde::Deserialize;

use super::consumers;
use super::models::room;

/// What is typed for a new room.
#[derive(Debug, Deserialize, Validate)]
pub struct NewRoom {
    #[garde(length(chars, min = 1, max = 50), custom(fits_address))]
    name: String,
    #[garde(length(chars, max = 200))]
    topic: String,
}

/// The list of rooms, and a form for another one.
pub async fn index(page: Page, db: Db) -> Result {
    let (rooms, form) = (rooms(&db).await?, Form::<NewRoom>::new());
    page.render("chat/index.html", context! { rooms, form })
}

/// Makes a room, or shows the form again with what is wrong.
pub async fn create(page: Page, db: Db, mut form: Form<NewRoom>) -> Result {
    if let Ok(NewRoom { name, topic }) = form.check() {
        let (name, topic) = (Set(name), Set(topic));
        let room = room::ActiveModel {
            name,
            topic,
            ..Default::default()
        };
        match room.insert(&db).await {
            Ok(room) => {
                page.success(format!("The room {} is open.", room.name));
                return page.redirect("chat:room", &[("room", &room.name)]);
            }
            Err(error) if is_taken(&error) => {
                form.error("name", "There is a room of this name already.");
            }
            Err(error) => return Err(error.into()),
        }
    }
    let rooms = rooms(&db).await?;
    page.invalid("chat/index.html", context! { rooms, form })
}

/// A room. Its messages come by its socket: see `consumers.rs`.
pub async fn room(Path(name): Path<String>, page: Page, db: Db) -> Result {
    let room = consumers::find(&db, &name).await?;
    let room = room.ok_or_else(Error::not_found)?;
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, present })
}

async fn rooms(db: &Db) -> Result<Vec<room::Model>, DbErr> {
    room::Entity::find()
        .order_by_asc(room::Column::Name)
        .all(db)
        .await
}

fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// A name stands in the address of its room.
fn fits_address(name: &str, (): &()) -> garde::Result {
    let is_legal = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    match name.chars().all(is_legal) {
        true => Ok(()),
        false => Err(garde::Error::new("use small letters, digits and hyphens")),
    }
}
