mod beginner;
mod site;
