mod rules;
mod texts;
