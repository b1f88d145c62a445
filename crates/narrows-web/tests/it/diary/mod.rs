//! A small project: users' diaries, and a worker that counts their pages.

pub(crate) mod migrations;
pub(crate) mod page;

use axum::extract::State;
use axum::routing::{get, post};
use garde::Validate;
use narrows_web::models::Models;
use narrows_web::models::sea_orm::{ActiveValue, EntityTrait, PaginatorTrait};
use narrows_web::narrows::serve::settings::Setting;
use narrows_web::narrows::{Channel, Worker};
use narrows_web::narrows_django::{User, ways::TokenWay};
use narrows_web::{App, Assets, Db, Form, Project, Result, Routes, Site, accounts};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "written")]
pub(crate) struct Written {
    title: String,
}

#[derive(Deserialize, Validate)]
struct NewPage {
    #[garde(length(chars, min = 1, max = 50))]
    title: String,
}

pub(crate) fn project() -> Project {
    let templates: &[_] = match std::env::var("DIARY_BROKEN") {
        Ok(_) => &[("diary/broken.html", "{% if %}")],
        Err(_) => &[],
    };
    Project::new("diary", "1.2.3")
        .assets(Assets::templates(templates))
        .about("A diary for everybody")
        .app(app())
        .app(accounts::app())
        .setting(Setting::text("title", "My diary", "What the first page says"))
        .setting(Setting::switch("count", "Count what is written").on())
        .way(TokenWay::new())
        .prepare(async |site: Site| site.accounts().create_token_table().await)
        .worker(|site| site.settings().switch("count").then(|| counter(site)))
        .task(async |_| {
            println!("the task runs");
            let _end = End;
            std::future::pending::<()>().await;
        })
        .csrf(|csrf| csrf.exempt("/hook"))
        .layer(|router, _| router.route("/hook", post(|| async { "taken" })))
        .layer(|router, _| router.route("/plain", get(|| async { "of no app" })))
        .content_security_policy("default-src 'self'")
}

/// Says when the task is dropped.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        println!("the task has ended");
    }
}

fn app() -> App {
    App::new("diary").models(Models::new().entity(page::Entity)).migrations(migrations::all()).routes(|_| {
        Routes::new().route("title", "/", get(title)).route("pages", "/pages/", post(write).get(count))
    })
}

fn written() -> Channel<Written> {
    Channel::new("diary-written").expect("it is a good name")
}

fn counter(site: &Site) -> Worker {
    Worker::new(site.channels()).handle(written(), |page| async move {
        println!("written: {}", page.title);
        Ok::<_, std::io::Error>(())
    })
}

async fn title(State(site): State<Site>) -> String {
    site.settings().text("title").to_owned()
}

async fn write(State(site): State<Site>, db: Db, user: User, mut form: Form<NewPage>) -> Result<String> {
    let Ok(NewPage { title }) = form.check() else { return Ok(form.errors().to_string()) };
    let author_id = user.id.as_str().parse()?;
    let page = page::ActiveModel {
        author_id: ActiveValue::Set(author_id),
        title: ActiveValue::Set(title.clone()),
        ..Default::default()
    };
    page::Entity::insert(page).exec(&db).await?;
    site.channels().send(&written(), &Written { title }).await?;
    Ok("written".to_owned())
}

async fn count(db: Db, _: User) -> Result<String> {
    Ok(page::Entity::find().count(&db).await?.to_string())
}
