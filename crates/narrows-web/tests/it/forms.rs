//! Forms: read, checked and shown again.

use std::net::IpAddr;

use axum::routing::post;
use garde::Validate;
use http::{HeaderValue, Request, StatusCode};
use narrows_web::testing::{TestResponse, TestSite};
use narrows_web::{App, Assets, Form, Page, Project, Result, Routes, context};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Red,
    Green,
}

fn ten() -> u32 {
    10
}

#[derive(Debug, Serialize, Deserialize, Validate)]
struct Order {
    #[garde(length(chars, min = 1, max = 10))]
    name: String,
    #[garde(range(min = 2))]
    count: u8,
    #[garde(skip)]
    price: f64,
    #[garde(skip)]
    colour: Colour,
    #[garde(skip)]
    host: IpAddr,
    #[garde(skip)]
    gift: bool,
    #[garde(skip)]
    note: Option<String>,
    #[garde(skip)]
    age: Option<u32>,
    #[garde(skip)]
    sizes: Vec<u32>,
    #[serde(default = "ten")]
    #[garde(skip)]
    pages: u32,
    #[garde(skip)]
    password: String,
}

const GOOD: [(&str, &str); 6] = [
    ("name", "pen"),
    ("count", " 3 "),
    ("price", "1.5"),
    ("colour", "green"),
    ("host", "::1"),
    ("password", "a secret"),
];

/// What was read, or what is wrong, and how a template sees the form.
async fn order(mut form: Form<Order>) -> axum::Json<Value> {
    let checked = match form.check() {
        Ok(order) => json!({ "order": order }),
        Err(errors) => json!({ "errors": errors }),
    };
    axum::Json(json!({ "checked": checked, "form": form }))
}

async fn site() -> TestSite {
    let routes = Routes::new().route("order", "/order/", post(order).get(order));
    Project::new("forms", "1.0.0").app(App::new("main").routes(|_| routes)).test().await
}

async fn sent(fields: &[(&str, &str)]) -> Value {
    site().await.post_form("/order/", fields).await.json()
}

/// A good form with something else in these fields.
fn with<'a>(others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GOOD.into_iter().filter(|(name, _)| !others.iter().any(|(other, _)| other == name));
    kept.chain(others.iter().copied()).collect()
}

async fn errors(fields: &[(&str, &str)]) -> Value {
    sent(&with(fields)).await["checked"]["errors"].clone()
}

#[tokio::test]
async fn a_form_is_read_into_its_type() {
    let read =
        sent(&with(&[("gift", "on"), ("sizes", "4"), ("sizes", ""), ("sizes", "5"), ("more", "x")])).await;
    let order = json!({
        "name": "pen", "count": 3, "price": 1.5, "colour": "green", "host": "::1", "gift": true, "note": null,
        "age": null, "sizes": [4, 5], "pages": 10, "password": "a secret",
    });
    assert_eq!(read["checked"]["order"], order);
    let read = sent(&with(&[("note", ""), ("age", " "), ("pages", "7")])).await;
    let order = &read["checked"]["order"];
    assert_eq!((&order["note"], &order["age"], &order["gift"]), (&Value::Null, &Value::Null, &json!(false)));
    assert_eq!((&order["sizes"], &order["pages"]), (&json!([]), &json!(7)));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let wrong = [
        ("name", ""),
        ("count", "many"),
        ("price", "NaN"),
        ("colour", "blue"),
        ("host", "here"),
        ("gift", "perhaps"),
        ("age", "-1"),
        ("sizes", "big"),
        ("pages", "99999999999"),
    ];
    let expected = json!({
        "name": ["This field is required."],
        "count": ["Enter a whole number."],
        "price": ["Enter a number."],
        "colour": ["Choose one of the list."],
        "host": ["Enter a valid value."],
        "gift": ["Enter yes or no."],
        "age": ["Enter a whole number between 0 and 4294967295."],
        "sizes": ["Enter a whole number."],
        "pages": ["Enter a whole number between 0 and 4294967295."],
    });
    assert_eq!(errors(&wrong).await, expected);
}

#[tokio::test]
async fn a_rule_that_is_broken_is_said_in_a_sentence() {
    let broken = errors(&[("count", "1"), ("name", "a much longer name")]).await;
    assert_eq!(broken, json!({ "count": ["Lower than 2."], "name": ["Length is greater than 10."] }));
}

#[tokio::test]
async fn what_did_not_come_is_required_unless_it_can_do_without() {
    let errors = sent(&[]).await["checked"]["errors"].clone();
    let required = ["name", "count", "price", "colour", "host", "password"];
    assert_eq!(errors.as_object().unwrap().len(), required.len(), "{errors}");
    for field in required {
        assert_eq!(errors[field], json!(["This field is required."]), "{field}");
    }
}

#[tokio::test]
async fn a_nul_is_an_error_of_its_field() {
    let nul = json!({ "name": ["Null characters are not allowed."] });
    assert_eq!(errors(&[("name", "a\0b")]).await, nul);
}

#[tokio::test]
async fn what_was_typed_is_given_back_but_no_password() {
    let form = sent(&with(&[("sizes", "1"), ("sizes", "x"), ("Password2", "a secret")])).await;
    let form = &form["form"];
    assert_eq!((&form["values"]["name"], &form["values"]["sizes"]), (&json!("pen"), &json!("x")));
    assert_eq!(form["lists"]["sizes"], json!(["1", "x"]));
    assert_eq!(form["errors"], json!({ "sizes": ["Enter a whole number."] }));
    assert!(!form.to_string().contains("a secret"), "{form}");
}

async fn refused(content_type: &str, body: Vec<u8>) -> TestResponse {
    let mut request = Request::post("/order/").body(body.into()).unwrap();
    request.headers_mut().insert("content-type", HeaderValue::from_str(content_type).unwrap());
    site().await.request(request).await
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
    assert_eq!(refused("multipart/form-data", vec![]).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        refused("application/json", b"{}".to_vec()).await.status(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(refused(FORM, b"a=%ff".to_vec()).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused(FORM, b"a=\xff".to_vec()).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused(FORM, b"a=1&".repeat(1001)).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused(FORM, vec![b'a'; 3 << 20]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused(FORM, b"a=1&".repeat(1000)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_query_of_a_get_is_a_form_too() {
    let read: Value = site().await.get("/order/?name=a+pen&count=x").await.json();
    assert_eq!(read["form"]["values"]["name"], "a pen");
    assert_eq!(read["checked"]["errors"]["count"], json!(["Enter a whole number."]));
}

/// The test's own page for a form.
async fn page(page: Page, mut form: Form<Order>) -> Result {
    if form.check().is_err() {
        form.error("form", "Not <so>.");
    }
    page.invalid("form.html", context! { form })
}

#[tokio::test]
async fn the_built_in_fields_have_labels_values_and_errors() {
    let routes = Routes::new().route("form", "/form/", post(page));
    let assets = Assets::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site"));
    let project = Project::new("forms", "1.0.0").assets(assets).app(App::new("main").routes(|_| routes));
    let site = project.test().await;
    let typed = [
        ("name", "\"><script>much too long"),
        ("text", "\n</textarea>"),
        ("colour", "green"),
        ("agreed", "on"),
        ("password", "a secret"),
    ];
    let answer = site.post_form("/form/", &typed).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        r#"<ul class="errors" role="alert"><li>Not &lt;so&gt;.</li></ul>"#,
        r#"<label for="id_name">Your &lt;name&gt;</label>"#,
        r#" required autocomplete="name" aria-describedby="id_name_help id_name_errors" aria-invalid="true""#,
        r#"value="&quot;&gt;&lt;script&gt;much too long">"#,
        r#"<p class="help" id="id_name_help">As you like it.</p>"#,
        r#"<ul class="errors" id="id_name_errors"><li>Length is greater than 10.</li></ul>"#,
        "&lt;/textarea&gt;</textarea>",
        r#"<option value="green" selected>Green &amp; blue</option>"#,
        r#"name="agreed" checked>"#,
        r#"<input type="password" id="id_password" name="password">"#,
        r#"<label for="id_empty_one">Empty one</label>"#,
    ] {
        assert!(answer.contains(part), "{part}\nis not in\n{answer}");
    }
    assert!(!answer.contains("a secret"));
}

/// A time of day that wants its seconds, as most types do.
#[derive(Debug, PartialEq)]
struct Clock(String);

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split(':').filter(|part| part.len() == 2).count() {
            3 => Ok(Self(text)),
            _ => Err(serde::de::Error::custom("no time")),
        }
    }
}

#[derive(Debug, Deserialize, Validate)]
struct Alarm {
    #[garde(skip)]
    at: Clock,
    #[garde(skip)]
    until: Option<Clock>,
    #[garde(length(min = 1))]
    name: String,
}

async fn alarm(mut form: Form<Alarm>) -> String {
    form.check().map_or_else(|errors| errors.to_string(), |alarm| format!("{} {:?}", alarm.at.0, alarm.until))
}

#[tokio::test]
async fn a_time_without_seconds_is_one_and_what_is_none_hides_no_other_error() {
    let routes = Routes::new().route("alarm", "/alarm/", post(alarm));
    let site = Project::new("forms", "1.0.0").app(App::new("main").routes(|_| routes)).test().await;
    let sent = async |fields: &[(&str, &str)]| site.post_form("/alarm/", fields).await.text().to_owned();
    assert_eq!(sent(&[("at", "10:30"), ("until", ""), ("name", "x")]).await, "10:30:00 None");
    let wrong = "at: Enter a valid value.; name: This field is required.; until: Enter a valid value.";
    assert_eq!(sent(&[("at", "soon"), ("until", "later"), ("name", "")]).await, wrong);
    assert_eq!(sent(&[("at", ""), ("name", "x")]).await, "at: This field is required.");
}
