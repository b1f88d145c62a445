//! The templates of a site: one environment, with what every template can use.

mod date;
mod filters;
mod globals;
mod text;

use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Template, TemplateSource, UndefinedBehavior};

pub(crate) use self::globals::{static_path, url_for};
use crate::assets::Sources;
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
        changes: Vec<Change>,
    ) -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters"));
        environment.set_debug(development);
        environment.set_auto_reload(development);
        // A name that nobody gave is a mistake, which is to be found while a site is developed and tested, and to hurt nobody later.
        environment.set_undefined_behavior(if development {
            UndefinedBehavior::SemiStrict
        } else {
            UndefinedBehavior::Lenient
        });
        environment.set_loader(loader(sources));
        filters::add_to(&mut environment);
        globals::add_to(&mut environment, sources, names, development);
        for change in changes {
            change(&mut environment);
        }
        Self(environment)
    }

    pub(crate) fn get(&self, name: &str) -> Result<Template<'_, '_>, Error> {
        self.0.get_template(name)
    }

    /// The first of these that is there.
    pub(crate) fn first(&self, names: &[&str]) -> Result<Template<'_, '_>, Error> {
        for name in names {
            match self.get(name) {
                Err(error) if error.kind() == ErrorKind::TemplateNotFound && error.name().is_none_or(|n| n == *name) => {}
                found => return found,
            }
        }
        Err(Error::new(ErrorKind::TemplateNotFound, format!("there is none of the templates {names:?}")))
    }

    /// What is wrong with templates, all of which are parsed for it.
    pub(crate) fn problems(&self, sources: &Sources) -> Vec<Error> {
        sources.templates().iter().filter_map(|name| self.get(name).err()).collect()
    }
}

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
        let found = sources.template(name).map_err(|problem| Error::new(ErrorKind::InvalidOperation, problem))?;
        let Some(found) = found else { return Ok(None) };
        let (sources, name, stamp) = (sources.clone(), name.to_owned(), found.stamp);
        // The file that would be read now: another one, where a project's came before an app's meanwhile.
        let source = TemplateSource::new(found.text).with_uptodate_check(move || sources.stamp(&name) == stamp);
        Ok(Some(source))
    }
}
