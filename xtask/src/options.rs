use crate::error::Failure;

/// The options after the task's name, taken out one by one.
#[derive(Debug)]
pub(crate) struct Options(Vec<String>);

impl Options {
    pub(crate) fn new(arguments: Vec<String>) -> Self {
        Self(arguments)
    }

    /// Whether the flag is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// The value of `--name value` or `--name=value`.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let prefix = format!("{name}=");
        let Some(place) = self.0.iter().position(|a| a == name || a.starts_with(&prefix)) else {
            return Ok(None);
        };
        let argument = self.0.remove(place);
        if let Some(value) = argument.strip_prefix(&prefix) {
            return Ok(Some(value.to_owned()));
        }
        if place == self.0.len() {
            return Err(Failure::Usage(format!("{name} needs a value")));
        }
        Ok(Some(self.0.remove(place)))
    }

    /// The value of an option that is a list with commas between; empty when it is not there.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let value = self.value(name)?.unwrap_or_default();
        Ok(value.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// Refuses what is left over.
    pub(crate) fn end(self) -> Result<(), Failure> {
        match self.0.first() {
            Some(argument) => Err(Failure::Usage(format!("unknown argument {argument}; see --help"))),
            None => Ok(()),
        }
    }
}
