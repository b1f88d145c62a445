//! `narrows createsuperuser`: the first user of a site, who may do everything.

mod ask;
mod error;

use std::process::ExitCode;

use clap::Args;
use narrows_django::password::{About, PasswordRules};
use narrows_django::{Accounts, Database, DatabaseError, NewUser, RegisterError, SecretKeys};

use self::ask::Terminal;
use self::error::{Chain, Error};

/// Make a user who may do everything, as Django's command of this name does.
///
/// At a terminal it asks for what is not said. The password is never a flag, as all users of the machine could read it:
/// with --no-input it is taken from DJANGO_SUPERUSER_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct CreateSuperuser {
    /// Where the accounts are: sqlite://path, postgres://… or mysql://…
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// The name to log in with
    #[arg(long, env = "DJANGO_SUPERUSER_USERNAME", value_name = "NAME")]
    username: Option<String>,
    /// The e-mail address; it may be empty
    #[arg(long, env = "DJANGO_SUPERUSER_EMAIL", value_name = "ADDRESS")]
    email: Option<String>,
    /// Ask nothing
    #[arg(long, visible_alias = "noinput")]
    no_input: bool,
    /// Take a password that is too easy to guess, too
    #[arg(long)]
    weak_password: bool,
    /// Make the tables of the accounts where they are missing
    #[arg(long)]
    create_tables: bool,
}

/// The question after a password that is too easy to guess.
const ANYWAY: &str = "Take this password anyway? [y/N]: ";

impl CreateSuperuser {
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.create())
    }

    async fn create(self) -> Result<ExitCode, Error> {
        let terminal = if self.no_input { None } else { Some(Terminal::open()?) };
        // The prefixed one is what a program on Narrows would take first.
        let url = std::env::var("NARROWS_DATABASE_URL").ok().filter(|url| !url.is_empty());
        let url = url.or(self.database_url.clone()).filter(|url| !url.is_empty()).ok_or(Error::NoDatabase)?;
        let accounts = self.open(&url, terminal.as_ref()).await?;
        let user = match &terminal {
            Some(terminal) => self.ask(&accounts, terminal).await?,
            None => self.said()?,
        };
        let created =
            accounts.create_superuser(&user).await.map_err(|error| Error::of(error, &user.username))?;
        println!("The superuser {} is made.", created.username);
        Ok(ExitCode::SUCCESS)
    }

    /// The accounts, with their tables.
    async fn open(&self, url: &str, terminal: Option<&Terminal>) -> Result<Accounts, Error> {
        let database = Database::connect(url).await?;
        // Nothing is signed here, and the password is checked before.
        let keys = SecretKeys::new("createsuperuser");
        let accounts = Accounts::builder(keys, database.clone()).password_rules(no_rules()).build();
        match accounts.user_by_name("").await {
            Err(error) if is_missing_table(&error) => {}
            found => return found.map(|_| accounts).map_err(Error::from),
        }
        let asked = "This database has no tables for accounts. Make them? [y/N]: ";
        let wanted = match terminal {
            _ if self.create_tables => true,
            Some(terminal) => terminal.confirm(asked)?,
            None => false,
        };
        if !wanted {
            return Err(Error::NoTables);
        }
        database.create_tables().await?;
        Ok(accounts)
    }

    /// Without a terminal.
    fn said(self) -> Result<NewUser, Error> {
        let username = self.username.filter(|name| !name.is_empty()).ok_or(Error::NoUsername)?;
        let email = self.email.unwrap_or_default();
        let password =
            std::env::var("DJANGO_SUPERUSER_PASSWORD").ok().filter(|password| !password.is_empty());
        let password = password.ok_or(Error::NoPassword)?;
        let problems = problems(&username, &email, &password);
        if !problems.is_empty() && !self.weak_password {
            return Err(Error::Weak(problems.join("; ")));
        }
        Ok(NewUser { username, email, password })
    }

    async fn ask(self, accounts: &Accounts, terminal: &Terminal) -> Result<NewUser, Error> {
        let username = match self.username {
            Some(name) => {
                refuse_taken(accounts, &name).await?;
                name
            }
            None => ask_username(accounts, terminal).await?,
        };
        let email = match self.email {
            Some(email) => email,
            None => terminal.line("E-mail (may be empty): ")?,
        };
        loop {
            let password = terminal.secret("Password: ")?;
            if password != terminal.secret("Password (again): ")? {
                eprintln!("The two passwords are not the same.");
                continue;
            }
            if password.is_empty() || password.contains(char::is_control) {
                eprintln!("The password is empty, or has a control character in it.");
                continue;
            }
            let problems = problems(&username, &email, &password);
            for problem in &problems {
                eprintln!("{problem}.");
            }
            if problems.is_empty() || self.weak_password || terminal.confirm(ANYWAY)? {
                return Ok(NewUser { username, email, password });
            }
        }
    }
}

async fn ask_username(accounts: &Accounts, terminal: &Terminal) -> Result<String, Error> {
    let usual = std::env::var("USER").ok().filter(|name| !name.is_empty());
    let question = match &usual {
        Some(name) => format!("User name (empty for {name}): "),
        None => "User name: ".to_owned(),
    };
    loop {
        let name = match (terminal.line(&question)?, &usual) {
            (name, Some(usual)) if name.is_empty() => usual.clone(),
            (name, _) => name,
        };
        if name.is_empty() {
            eprintln!("The name is empty.");
            continue;
        }
        match refuse_taken(accounts, &name).await {
            Err(error @ Error::Taken(_)) => eprintln!("{error}"),
            free => return free.map(|()| name),
        }
    }
}

async fn refuse_taken(accounts: &Accounts, name: &str) -> Result<(), Error> {
    match accounts.user_by_name(name).await? {
        Some(_) => Err(Error::Taken(name.to_owned())),
        None => Ok(()),
    }
}

/// What Django's rules say of a password.
fn problems(username: &str, email: &str, password: &str) -> Vec<String> {
    let about = About { username, email, ..About::default() };
    PasswordRules::default().check(password, &about).iter().map(ToString::to_string).collect()
}

/// For a password about which its owner was asked already.
fn no_rules() -> PasswordRules {
    let mut rules = PasswordRules::default();
    rules.min_length = 1;
    rules.max_similarity = 2.0;
    rules.refuse_common = false;
    rules.refuse_numeric = false;
    rules
}

/// As each of the databases says it.
fn is_missing_table(error: &DatabaseError) -> bool {
    let text = Chain(error).to_string();
    ["no such table", "does not exist", "doesn't exist"].iter().any(|words| text.contains(words))
}

impl Error {
    fn of(error: RegisterError, username: &str) -> Self {
        match error {
            RegisterError::Taken => Self::Taken(username.to_owned()),
            error => Self::Refused(error),
        }
    }
}
