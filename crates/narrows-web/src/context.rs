use minijinja::Value;
use serde::Serialize;

/// What a template is given, by name: whatever can be serialized, such as the models of the database and forms.
///
/// ```
/// use narrows_web::{context, minijinja};
///
/// #[derive(serde::Serialize)]
/// struct Room { name: &'static str }
///
/// let rooms = [Room { name: "lobby" }];
/// let title = "Rooms".to_owned();
/// let page = context! { rooms, count => rooms.len(), title };
/// // What is not named here comes from there.
/// let page = context! { title => "All rooms", ..page };
///
/// let environment = minijinja::Environment::new();
/// let text = environment.render_str("{{ title }}: {{ rooms[0].name }}, {{ count }}", page)?;
/// assert_eq!(text, "All rooms: lobby, 1");
/// # Ok::<(), minijinja::Error>(())
/// ```
#[macro_export]
macro_rules! context {
    // A macro, as it names its values, and they are of any types.
    ($($key:ident $(=> $value:expr)?),* $(, ..$more:expr)* $(,)?) => {
        $crate::minijinja::context! {
            $($key => $crate::__value!($key $(=> $value)?)),* $(, ..$more)*
        }
    };
    ($(..$more:expr),+ $(,)?) => {
        $crate::minijinja::context! { $(..$more),+ }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __value {
    ($key:ident) => {
        $crate::serialized(&$key)
    };
    ($key:ident => $value:expr) => {
        $crate::serialized(&$value)
    };
}

#[doc(hidden)]
pub fn serialized<T: Serialize + ?Sized>(value: &T) -> Value {
    Value::from(minijinja::value::Serde(value))
}
