use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use narrows_django::User;

/// Who reads a page, as templates have it: Django's `request.user`. Nobody is false, and has no name.
#[derive(Debug)]
pub(crate) struct Reader(Option<User>);

impl Reader {
    pub(crate) fn value(user: Option<&User>) -> Value {
        Value::from_object(Self(user.cloned()))
    }
}

impl Object for Reader {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let user = self.0.as_ref();
        Some(match key.as_str()? {
            "id" => user.map(|user| user.id.as_str()).into(),
            "username" => user.map_or("", |user| &user.username).into(),
            "email" => user.map_or("", |user| &user.email).into(),
            "first_name" => user.map_or("", |user| &user.first_name).into(),
            "last_name" => user.map_or("", |user| &user.last_name).into(),
            "is_authenticated" => user.is_some().into(),
            "is_staff" => user.is_some_and(|user| user.is_staff).into(),
            "is_superuser" => user.is_some_and(|user| user.is_superuser).into(),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&[
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "is_authenticated",
            "is_staff",
            "is_superuser",
        ])
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.is_some()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("", |user| &user.username))
    }
}
