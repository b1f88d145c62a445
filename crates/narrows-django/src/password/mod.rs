//! Passwords as Django keeps them.
//!
//! [`Hashing`] reads and writes the texts in the column `password`; [`PasswordRules`] says which passwords a user may
//! choose. [`Accounts`](crate::Accounts) uses both, off the threads that serve.
//!
//! ```
//! use narrows_django::password::{Hasher, Hashing};
//!
//! let hashing = Hashing::new(Hasher::pbkdf2_sha256(1_000)?);
//! let text = hashing.hash("correct horse");
//! assert!(text.starts_with("pbkdf2_sha256$1000$"));
//! assert!(hashing.verify("correct horse", &text).matches);
//! assert!(!hashing.verify("wrong horse", &text).matches);
//! # Ok::<(), narrows_django::password::HasherError>(())
//! ```

mod encoded;
mod hasher;
mod hashing;
mod pool;
mod rules;
mod similar;

pub use self::hasher::{DJANGO_ITERATIONS, Hasher, HasherError};
pub use self::hashing::{HashWork, Hashing, Verified, unusable};
pub(crate) use self::pool::Pool;
pub use self::pool::{Busy, HashThreads};
pub use self::rules::{About, PasswordProblem, PasswordRules};
