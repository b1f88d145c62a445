//! The site as its visitors see it.

mod chat;
mod site;
