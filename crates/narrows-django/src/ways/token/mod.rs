//! Tokens of Django REST framework.

mod table;
mod way;

pub use self::way::TokenWay;
