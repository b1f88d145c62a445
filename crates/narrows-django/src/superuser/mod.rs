//! `createsuperuser`: the first user of a site, who may do everything.

mod ask;
mod error;

use self::ask::Terminal;
pub use self::error::SuperuserError;
use self::error::SuperuserError as Error;
use crate::password::{About, PasswordRules};
use crate::{
    Accounts, AccountsBuilder, Database, NameProblem, NewUser, RegisterError, SecretKeys, User, UserModel,
};

/// Makes a user who may do everything, as Django's command of this name does: with what a command line says, and at a terminal
/// it asks for the rest.
///
/// The password is never a flag, as all users of the machine could read it: with [`no_input`](Self::no_input) it is taken from
/// the variable `DJANGO_SUPERUSER_PASSWORD`.
#[derive(Debug, Clone, Default)]
pub struct CreateSuperuser {
    /// The name to log in with.
    pub username: Option<String>,
    /// The e-mail address; it may be empty.
    pub email: Option<String>,
    /// Whether to ask nothing.
    pub no_input: bool,
    /// Whether to take a password that is too easy to guess, too.
    pub weak_password: bool,
    /// Whether to make the tables of the accounts where they are missing.
    pub create_tables: bool,
}

/// The question after a password that is too easy to guess.
const ANYWAY: &str = "Take this password anyway? [y/N]: ";

impl CreateSuperuser {
    /// Makes the user in the database at this URL, in Django's own tables, and says so.
    ///
    /// # Errors
    /// When it is not made.
    ///
    /// # Cancel safety
    /// Given up, the user may have been made.
    pub async fn run(self, database_url: &str) -> Result<User, Error> {
        // Nothing is signed here.
        let keys = SecretKeys::new("createsuperuser");
        self.run_with(database_url, |database| Accounts::builder(keys, database)).await
    }

    /// [`run`](Self::run) for accounts that are a site's own: with its user model, its hasher and its rules for passwords.
    ///
    /// # Errors
    /// When it is not made.
    ///
    /// # Cancel safety
    /// Given up, the user may have been made.
    pub async fn run_with(
        self,
        database_url: &str,
        accounts: impl FnOnce(Database) -> AccountsBuilder,
    ) -> Result<User, Error> {
        let terminal = if self.no_input { None } else { Some(Terminal::open()?) };
        let url = Some(database_url).filter(|url| !url.is_empty()).ok_or(Error::NoDatabase)?;
        let accounts = accounts(Database::connect(url).await?).build();
        self.see_to_tables(&accounts, terminal.as_ref()).await?;
        let user = match &terminal {
            Some(terminal) => self.ask(&accounts, terminal).await?,
            None => self.said(&accounts)?,
        };
        // Its owner was asked about the password already.
        let created = accounts.create(&user, true, &no_rules()).await;
        let created = created.map_err(|error| Error::of(error, &user.username))?;
        println!("The superuser {} is made.", created.username);
        Ok(created)
    }

    /// Makes the tables where they are missing, and somebody wants that.
    async fn see_to_tables(&self, accounts: &Accounts, terminal: Option<&Terminal>) -> Result<(), Error> {
        match accounts.user_by_name("").await {
            Err(error) if error.is_missing_table() => {}
            found => return found.map(drop).map_err(Error::from),
        }
        let table = &accounts.user_model().table;
        if *table != UserModel::default().table {
            return Err(Error::NoTable(table.clone()));
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
        Ok(accounts.database().create_tables().await?)
    }

    /// Without a terminal.
    fn said(self, accounts: &Accounts) -> Result<NewUser, Error> {
        let username = self.username.filter(|name| !name.is_empty()).ok_or(Error::NoUsername)?;
        let email = self.email.unwrap_or_default();
        let password =
            std::env::var("DJANGO_SUPERUSER_PASSWORD").ok().filter(|password| !password.is_empty());
        let password = password.ok_or(Error::NoPassword)?;
        let problems = problems(accounts, &username, &email, &password);
        if !problems.is_empty() && !self.weak_password {
            return Err(Error::Weak(problems.join("; ")));
        }
        Ok(NewUser { username, email, password })
    }

    async fn ask(self, accounts: &Accounts, terminal: &Terminal) -> Result<NewUser, Error> {
        let username = match self.username {
            Some(name) => {
                accounts.good_username(&name).map_err(refused)?;
                refuse_taken(accounts, &name).await?;
                name
            }
            None => ask_username(accounts, terminal).await?,
        };
        let email = match self.email {
            Some(email) => accounts.good_email(&email).map_err(refused)?,
            None => ask_email(accounts, terminal)?,
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
            let problems = problems(accounts, &username, &email, &password);
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
        if let Err(problem) = accounts.good_username(&name) {
            eprintln!("{problem}");
            continue;
        }
        match refuse_taken(accounts, &name).await {
            Err(error @ Error::Taken(_)) => eprintln!("{error}"),
            free => return free.map(|()| name),
        }
    }
}

fn ask_email(accounts: &Accounts, terminal: &Terminal) -> Result<String, Error> {
    loop {
        let email = terminal.line("E-mail (may be empty): ")?;
        match accounts.good_email(&email) {
            Ok(email) => return Ok(email),
            Err(problem) => eprintln!("{problem}"),
        }
    }
}

async fn refuse_taken(accounts: &Accounts, name: &str) -> Result<(), Error> {
    match accounts.user_by_name(name).await? {
        Some(_) => Err(Error::Taken(name.to_owned())),
        None => Ok(()),
    }
}

fn refused(problem: NameProblem) -> Error {
    Error::Refused(RegisterError::Problems { names: vec![problem], passwords: Vec::new() })
}

/// What the site's rules say of a password.
fn problems(accounts: &Accounts, username: &str, email: &str, password: &str) -> Vec<String> {
    let about = About { username, email, ..About::default() };
    accounts.inner().log_in.rules.check(password, &about).iter().map(ToString::to_string).collect()
}

/// For a password about which its owner was asked already.
fn no_rules() -> PasswordRules {
    PasswordRules { min_length: 1, max_similarity: 2.0, refuse_common: false, refuse_numeric: false }
}

impl Error {
    fn of(error: RegisterError, username: &str) -> Self {
        match error {
            RegisterError::Taken => Self::Taken(username.to_owned()),
            error => Self::Refused(error),
        }
    }
}
