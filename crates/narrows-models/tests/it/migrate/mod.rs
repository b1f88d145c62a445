mod beginner;
mod changes;
mod failures;
mod kinds;
mod orders;
mod rebuilds;
pub(crate) mod site;
mod structure;
mod walk;
