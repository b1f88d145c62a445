use rig::{MariaDb, Postgres};
use tempfile::TempDir;

/// Where the database of a test is, which ends with it, and a folder for session files.
pub(super) struct Ground {
    server: Server,
    folder: TempDir,
}

enum Server {
    Sqlite,
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl Ground {
    pub(super) fn sqlite() -> Self {
        Self::on(Server::Sqlite)
    }

    pub(super) fn postgres() -> Option<Self> {
        Postgres::start().map(Server::Postgres).map(Self::on)
    }

    pub(super) fn mariadb() -> Option<Self> {
        MariaDb::start().map(Server::MariaDb).map(Self::on)
    }

    /// The URL of an empty database.
    pub(super) fn fresh_database(&self) -> String {
        match &self.server {
            Server::Sqlite => {
                let file = tempfile::Builder::new().suffix(".sqlite").tempfile_in(self.folder.path());
                let (_, path) = file.unwrap().keep().unwrap();
                format!("sqlite://{}?mode=rwc", path.display())
            }
            Server::Postgres(postgres) => postgres.fresh_database(),
            Server::MariaDb(mariadb) => mariadb.fresh_database(),
        }
    }

    /// An empty folder.
    pub(super) fn folder(&self) -> std::path::PathBuf {
        tempfile::tempdir_in(self.folder.path()).unwrap().keep()
    }

    fn on(server: Server) -> Self {
        Self { server, folder: tempfile::tempdir().unwrap() }
    }
}
