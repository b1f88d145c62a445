use std::ffi::OsString;
use std::ops::Deref;
use std::panic::Location;

use narrows::testing::TestServer;
use narrows_django::{NewUser, User};

use super::Browser;
use crate::project::{Chain, Kit, Migrator, Opened, Said};
use crate::{Project, Site};

/// A project in a test: the whole site, with a database of its own in memory, and a [`Browser`] to look at it.
///
/// ```
/// use axum::routing::get;
/// use narrows_web::{App, Project, Routes};
///
/// # fn project() -> Project {
/// let hello = App::new("hello").routes(|_| Routes::new().route("home", "/", get(|| async { "hello" })));
/// let project = Project::new("mysite", "1.0.0").app(hello);
/// # project }
///
/// // #[tokio::test]
/// async fn the_first_page_says_hello() {
///     let site = project().test().await;
///     let page = site.get("/").await;
///     assert_eq!((page.status().as_u16(), page.text()), (200, "hello"));
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() { the_first_page_says_hello().await }
/// ```
///
/// All migrations are applied, and passwords are hashed in no time. Neither the environment nor `narrows.toml` is read; what a
/// test sets, it says to [`Project::test_with`]. The site is as in production: error pages have no details. Workers and
/// tasks do not run.
///
/// Everything runs on the test's own thread, but for the database: do not pause the clock. The browser is that of the site by
/// `Deref`, so that `site.get("/")` does; for a second person there is [`another_browser`](Self::another_browser).
pub struct TestSite {
    site: Site,
    browser: Browser,
}

impl Project {
    /// Opens the project for a test.
    ///
    /// # Panics
    /// When it does not open, with the reason; outside of a tokio runtime of one thread.
    #[track_caller]
    pub fn test(self) -> impl Future<Output = TestSite> {
        self.open_test(Vec::new(), Location::caller())
    }

    /// Opens the project for a test, with settings as on a command line: `["--announce=nobody"]`. With `--database-url` it is on
    /// a database of the test's own, which is migrated too.
    ///
    /// # Panics
    /// As [`test`](Self::test).
    #[track_caller]
    pub fn test_with(
        self,
        settings: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> impl Future<Output = TestSite> {
        self.open_test(settings.into_iter().map(Into::into).collect(), Location::caller())
    }

    /// What `makemigrations` would write, a line each: nothing, where the migrations make what the models say.
    ///
    /// ```
    /// # fn project() -> narrows_web::Project { narrows_web::Project::new("mysite", "1.0.0") }
    /// // #[test]
    /// fn the_migrations_are_up_to_date() {
    ///     assert_eq!(project().unmade_migrations(), [""; 0], "`narrows makemigrations` writes them");
    /// }
    /// # the_migrations_are_up_to_date();
    /// ```
    pub fn unmade_migrations(&self) -> Vec<String> {
        Migrator::new(&self.apps).unmade()
    }

    async fn open_test(self, more: Vec<OsString>, at: &Location<'_>) -> TestSite {
        let settings = ["--database-url=sqlite::memory:", "--secret-key=of-a-test", "--development=off"];
        let settings = settings.into_iter().map(OsString::from).chain(more);
        let loaded = match Self::read(&self.program_without_file(), settings, [("", ""); 0]) {
            Ok(Said::Run { loaded, .. }) => *loaded,
            Ok(Said::Print(text)) => panic!("these are no settings, but ask for a text:\n{text}\n  at {at}"),
            Err(error) => panic!("the settings are wrong: {}\n  at {at}", Chain(&error)),
        };
        match self.open_for(Kit::Test, loaded).await {
            Ok(opened) => TestSite::new(&opened),
            Err(error) => panic!("the site does not open: {}\n  at {at}", Chain(&error)),
        }
    }
}

impl TestSite {
    fn new(opened: &Opened) -> Self {
        let (site, server) = (opened.site().clone(), TestServer::new(opened.router()));
        Self { browser: Browser::new(server, site.accounts()), site }
    }

    /// The site: its database, its channels, its addresses.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The browser of somebody else: without cookies yet.
    pub fn another_browser(&self) -> Browser {
        self.browser.fresh()
    }

    /// Makes a user of this name, whose password is [`PASSWORD`](Self::PASSWORD).
    ///
    /// # Panics
    /// When there is one already, or the name is none.
    pub async fn user(&self, username: &str) -> User {
        let accounts = self.site.accounts();
        match accounts.register(&new_user(username)).await {
            Ok(user) => user,
            Err(error) => panic!("there is no new user {username}: {}", Chain(&error)),
        }
    }

    /// Makes a user who may do everything, and use the admin.
    ///
    /// # Panics
    /// As [`user`](Self::user).
    pub async fn superuser(&self, username: &str) -> User {
        let accounts = self.site.accounts();
        match accounts.create_superuser(&new_user(username)).await {
            Ok(user) => user,
            Err(error) => panic!("there is no new user {username}: {}", Chain(&error)),
        }
    }

    /// The password of the users that tests make.
    pub const PASSWORD: &str = "a quiet green field";
}

fn new_user(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: format!("{username}@example.com"),
        password: TestSite::PASSWORD.to_owned(),
    }
}

impl Deref for TestSite {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl std::fmt::Debug for TestSite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestSite").field("site", &self.site).finish_non_exhaustive()
    }
}
