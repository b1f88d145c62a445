//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::sea_orm::{ActiveValue::Set, DbErr, EntityTrait, QueryOrder, SqlErr};
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
    let form = Form::<NewRoom>::new();
    page.render(
        "chat/index.html",
        context! { rooms => rooms(&db).await?, form },
    )
}

/// Makes a room, or shows the form again with what is wrong.
pub async fn create(page: Page, db: Db, mut form: Form<NewRoom>) -> Result {
    if let Ok(NewRoom { name, topic }) = form.check() {
        let room = room::ActiveModel {
            name: Set(name.clone()),
            topic: Set(topic),
            ..Default::default()
        };
        match room::Entity::insert(room)
            .exec(&db)
            .await
            .map_err(|error| (error.sql_err(), error))
        {
            Ok(_) => {
                page.success(format!("The room {name} is open."));
                return page.redirect("chat:room", &[("room", &name)]);
            }
            Err((Some(SqlErr::UniqueConstraintViolation(_)), _)) => {
                form.error("name", "There is a room of this name already.");
            }
            Err((_, error)) => return Err(error.into()),
        }
    }
    page.invalid(
        "chat/index.html",
        context! { rooms => rooms(&db).await?, form },
    )
}

/// A room. Its messages come by its socket: see `consumers.rs`.
pub async fn room(Path(name): Path<String>, page: Page, db: Db) -> Result {
    let room = consumers::find(&db, &name)
        .await?
        .ok_or_else(Error::not_found)?;
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, present })
}

async fn rooms(db: &Db) -> Result<Vec<room::Model>, DbErr> {
    room::Entity::find()
        .order_by_asc(room::Column::Name)
        .all(db)
        .await
}

/// A name stands in the address of its room.
fn fits_address(name: &str, (): &()) -> garde::Result {
    let is_legal = name
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_legal {
        Ok(())
    } else {
        Err(garde::Error::new("use small letters, digits and hyphens"))
    }
}
