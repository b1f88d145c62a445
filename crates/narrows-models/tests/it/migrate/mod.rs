mod beginner;
mod changes;
mod site;
mod structure;
