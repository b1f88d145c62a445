use std::collections::BTreeSet;
use std::fmt;
use std::process::ExitCode;

use narrows::serve::settings::Loaded;

use crate::Site;
use crate::project::{Chain, Kit, Migrator, Project, ProjectError};

/// Characters below which a secret key can be guessed: Django's `SECRET_KEY_MIN_LENGTH`.
const MIN_KEY: usize = 50;
/// Different characters that it has at the least: Django's `SECRET_KEY_MIN_UNIQUE_CHARACTERS`.
const MIN_KEY_CHARACTERS: usize = 5;

/// `check`: what is wrong with the site, or would be in production.
pub(super) async fn run(project: Project, loaded: Loaded) -> Result<ExitCode, ProjectError> {
    let mut found = Found::default();
    found.settings(&loaded, project.keeps_secret_key());
    found.apps(&project);
    let migrator = Migrator::new(&project.apps);
    match project.open_for(Kit::Check, loaded).await {
        Ok(opened) => found.site(opened.site(), &migrator).await,
        Err(error) => found.add(format_args!("{}", Chain(&error))),
    }
    for problem in &found.0 {
        println!("{problem}");
    }
    Ok(match found.0.len() {
        0 => {
            println!("nothing is wrong");
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    })
}

/// What is wrong, a line each.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, problem: impl fmt::Display) {
        self.0.push(problem.to_string());
    }

    fn settings(&mut self, loaded: &Loaded, keeps_secret_key: bool) {
        let key = loaded.settings.secret_key.as_str();
        let characters: BTreeSet<char> = key.chars().collect();
        if key.is_empty() && keeps_secret_key {
            // It is made at the start, with enough characters.
        } else if key.is_empty() {
            self.add("secret_key: there is none, and the site does not start in production; set SECRET_KEY");
        } else if key.len() < MIN_KEY || characters.len() < MIN_KEY_CHARACTERS {
            self.add(format_args!(
                "secret_key: it can be guessed; at least {MIN_KEY} random characters are needed"
            ));
        }
        if !loaded.switch("session_cookie_secure") {
            self.add("session_cookie_secure: it is off, so browsers send the session without TLS too");
        }
        if loaded.text("database_url").is_empty() {
            self.add(
                "database_url: there is none, so the database is a file in the data folder; set DATABASE_URL",
            );
        }
        if loaded.text("development") == "on" {
            self.add("development: it is on, so errors are shown with their details, and templates are read from the disk");
        }
        for warning in &loaded.warnings {
            self.add(warning);
        }
    }

    fn apps(&mut self, project: &Project) {
        let mut names = BTreeSet::new();
        for app in &project.apps {
            if !names.insert(app.name) {
                self.add(format_args!(
                    "two apps are called {}, and their routes' names are the same",
                    app.name
                ));
            }
        }
    }

    async fn site(&mut self, site: &Site, migrator: &Migrator) {
        // In development the site opens in spite of them.
        if site.is_development()
            && let Err(errors) = site.check_templates()
        {
            errors.all().iter().for_each(|error| self.add(format_args!("template: {error}")));
        }
        match migrator.missing(site.database()).await {
            Ok(missing) => missing.iter().for_each(|missing| self.add(missing)),
            Err(error) => self.add(format_args!("{}", Chain(&error))),
        }
    }
}
