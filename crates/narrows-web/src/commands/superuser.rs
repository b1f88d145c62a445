use std::env;

use narrows::serve::settings::Loaded;
use narrows_django::superuser::CreateSuperuser;
use narrows_django::{AccountSettings, SecretKeys};

use super::Command;
use crate::project::{Project, ProjectError};

/// `createsuperuser`, with the flags and variables of Django's command, for accounts as the project wants them.
pub(super) async fn run(mut project: Project, loaded: &Loaded, args: &[String]) -> Result<(), ProjectError> {
    let create = read(args)?;
    let said = AccountSettings::read(loaded)?;
    let url = project.database_url(loaded, &said)?;
    // Nothing is signed here.
    let keys = said.keys.clone().unwrap_or_else(|| SecretKeys::new("createsuperuser"));
    create.run_with(&url, |database| project.changed(said.accounts(keys, database))).await?;
    Ok(())
}

fn read(args: &[String]) -> Result<CreateSuperuser, ProjectError> {
    let variable = |name: &str| env::var(name).ok();
    let mut create = CreateSuperuser {
        username: variable("DJANGO_SUPERUSER_USERNAME"),
        email: variable("DJANGO_SUPERUSER_EMAIL"),
        ..CreateSuperuser::default()
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        match flag {
            "--username" => create.username = Some(value(flag, inline, &mut args)?),
            "--email" => create.email = Some(value(flag, inline, &mut args)?),
            "--no-input" | "--noinput" => create.no_input = true,
            "--weak-password" => create.weak_password = true,
            "--create-tables" => create.create_tables = true,
            _ => {
                let command = Command::CreateSuperuser.name();
                return Err(ProjectError::NoArgument { command, given: arg.clone() });
            }
        }
    }
    Ok(create)
}

fn value<'a>(
    flag: &str,
    inline: Option<String>,
    args: &mut impl Iterator<Item = &'a String>,
) -> Result<String, ProjectError> {
    let missing = || ProjectError::NoValue { flag: flag.to_owned() };
    inline.or_else(|| args.next().cloned()).ok_or_else(missing)
}
