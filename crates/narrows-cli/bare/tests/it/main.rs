//! The site as its visitors see it.

mod site;
