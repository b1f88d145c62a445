//! Names, origins and URL patterns take any text: names keep their rule and come back from the wire as they
//! were, keyed names differ when their keys do, and a foreign origin is never the same origin.
//!
//! The data is text; its first line is one key, its second the other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::{AllowedOrigins, Channel, Group, UrlRoutes};

fuzz_target!(|text: &str| {
    if let Ok(group) = Group::<()>::new(text) {
        assert!(group.name().len() <= 99 && group.name().bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(Group::<()>::new(group.name()).as_ref(), Ok(&group));
        assert!(Channel::<()>::new(text).is_ok(), "a group's name can name a channel");
    }
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    let key = |key: &str| Group::<()>::keyed("room", key).expect("any key will do");
    assert!(Group::<()>::new(key(one).name()).is_ok());
    assert_eq!(key(one) == key(other), one == other);

    // No panic, and what is listed by its host alone is allowed from there.
    let _ = AllowedOrigins::new([one]).allows(Some(other));
    let _ = AllowedOrigins::new([one, other]).suspicious();
    let handler = || axum::routing::get(|| async {});
    if let Ok(routes) = UrlRoutes::new().path(one, handler()) {
        let _ = routes.resolve(other);
    }
    if let Ok(routes) = UrlRoutes::new().re_path(one, handler()) {
        let _ = routes.resolve(other);
    }
});
