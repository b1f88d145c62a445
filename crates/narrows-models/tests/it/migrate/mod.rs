mod beginner;
mod changes;
mod kinds;
mod site;
mod structure;
