//! The templates of a site: one environment, with what every template can use.

mod date;
mod django;
mod ending;
mod filters;
mod globals;
mod text;

use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Template, TemplateSource, UndefinedBehavior};

pub(crate) use self::ending::content_type;
pub(crate) use self::globals::static_path;
use crate::assets::{Kind, Sources};
use crate::routes::Names;

/// What a project adds to the environment.
pub(crate) type Change = Box<dyn FnOnce(&mut Environment<'static>) + Send>;

/// What all templates of a site share.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    /// Those of these sources. In development a template is read anew when its file changed; in production once.
    pub(crate) fn new(
        sources: &Arc<Sources>,
        names: &Arc<OnceLock<Names>>,
        development: bool,
        strict: bool,
        changes: Vec<Change>,
    ) -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters"));
        environment.set_debug(development);
        environment.set_auto_reload(development);
        // A name that nobody gave is a mistake, which is to be found while a site is developed and tested, and to hurt nobody later.
        environment.set_undefined_behavior(if strict {
            UndefinedBehavior::SemiStrict
        } else {
            UndefinedBehavior::Chainable
        });
        environment.set_auto_escape_callback(ending::escaping);
        environment.set_formatter(text::write);
        environment.set_loader(loader(sources));
        filters::add_to(&mut environment);
        globals::add_to(&mut environment, sources, names, globals::Kind { development, strict });
        for change in changes {
            change(&mut environment);
        }
        Self(environment)
    }

    pub(crate) fn get(&self, name: &str) -> Result<Template<'_, '_>, Error> {
        self.0.get_template(name)
    }

    /// The first of these that is there.
    ///
    /// # Panics
    /// When there are none to look for.
    pub(crate) fn first(&self, names: &[&str]) -> Result<Template<'_, '_>, Error> {
        let (last, others) = names.split_last().expect("a template has a name");
        for name in others {
            match self.get(name) {
                Err(error) if error.kind() == ErrorKind::TemplateNotFound => {}
                found => return found,
            }
        }
        self.get(last)
    }

    /// Parses all there are. In development what is wrong is a warning: the page that uses it says so, and the others are there.
    ///
    /// # Errors
    /// When one is wrong, with what is wrong with each.
    pub(crate) fn check(&self, sources: &Sources, development: bool) -> Result<(), TemplateErrors> {
        let problems: Vec<Error> =
            sources.templates().iter().filter_map(|name| self.get(name).err()).collect();
        if problems.is_empty() {
            return Ok(());
        }
        let problems = TemplateErrors(problems);
        if development {
            tracing::warn!("{problems}");
            return Ok(());
        }
        Err(problems)
    }
}

/// What is wrong with the templates of a site.
#[derive(Debug)]
pub struct TemplateErrors(Vec<Error>);

impl TemplateErrors {
    /// What is wrong with each: [`name`](Error::name) and [`line`](Error::line) say where.
    pub fn all(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for TemplateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "the templates cannot be parsed: {}", lines.join("; "))
    }
}

impl std::error::Error for TemplateErrors {}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

fn loader(
    sources: &Arc<Sources>,
) -> impl Fn(&str) -> Result<Option<TemplateSource>, Error> + Send + Sync + 'static {
    let sources = sources.clone();
    move |name| {
        let found =
            sources.template(name).map_err(|problem| Error::new(ErrorKind::InvalidOperation, problem))?;
        let Some(found) = found else {
            let folders = sources.folders(Kind::Templates);
            // As Django's page says it, to those who look for it.
            let places =
                folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
            let problem = format!("there is no template `{name}` in {places}");
            return if places.is_empty() {
                Ok(None)
            } else {
                Err(Error::new(ErrorKind::TemplateNotFound, problem))
            };
        };
        let (sources, name, stamp) = (sources.clone(), name.to_owned(), found.stamp);
        // The file that would be read now: another one, where a project's came before an app's meanwhile.
        let source =
            TemplateSource::new(found.text).with_uptodate_check(move || sources.stamp(&name) == stamp);
        Ok(Some(source))
    }
}
