use std::fmt;
use std::ops::{Deref, DerefMut};

/// A value that is not shown.
///
/// ```
/// # use narrows::serve::settings::Secret;
/// let key = Secret("for nobody's eyes".to_owned());
/// assert_eq!(format!("{key:?}"), "Secret");
/// assert_eq!(key.len(), 17);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(pub T);

impl<T> Deref for Secret<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Secret<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
