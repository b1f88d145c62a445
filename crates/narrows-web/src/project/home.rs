use narrows::{ChannelLayer, ChannelsBuilder};
use narrows_django::AccountSettings;

use super::Project;

/// Where a site keeps what is its own, and on which channel layer it runs, where the settings do not say.
pub(super) struct Home {
    /// In the data folder.
    pub(super) database_file: &'static str,
    /// Whether a key may be made in production.
    pub(super) keeps_secret_key: bool,
    /// Whether tables from before the first migration are taken as they are.
    pub(super) adopts_tables: bool,
    pub(super) layer: Option<Box<dyn FnOnce(ChannelsBuilder) -> ChannelsBuilder + Send>>,
}

impl Default for Home {
    fn default() -> Self {
        Self { database_file: "db.sqlite3", keeps_secret_key: false, adopts_tables: false, layer: None }
    }
}

impl Project {
    /// The name of the SQLite database in the data folder, where no other database is named. Default `db.sqlite3`.
    #[must_use]
    pub fn database_file(mut self, name: &'static str) -> Self {
        self.home.database_file = name;
        self
    }

    /// Makes a secret key where none is set, and keeps it in the data folder, in production too: for a site of one machine
    /// that people start without any settings. Without this a site in production ends with an error that says what to do.
    #[must_use]
    pub fn keep_secret_key(mut self) -> Self {
        self.home.keeps_secret_key = true;
        self
    }

    /// Takes the tables of an app's first migration as they are, where all of them are there with the right columns: for a
    /// site that had them before it had migrations. It is `migrate --fake-initial`, at the start too.
    #[must_use]
    pub fn adopt_tables(mut self) -> Self {
        self.home.adopts_tables = true;
        self
    }

    pub(crate) fn keeps_secret_key(&self) -> bool {
        self.home.keeps_secret_key
    }

    pub(crate) fn adopts_tables(&self) -> bool {
        self.home.adopts_tables
    }

    /// Runs on this channel layer and not on the one that the settings name: for tests of several nodes, and for layers of
    /// one's own.
    ///
    /// ```
    /// use narrows_web::Project;
    /// use narrows_web::narrows::layer::MemoryLayer;
    ///
    /// let layer = MemoryLayer::new();
    /// let other = Project::new("mysite", "1.0.0").channel_layer(layer.another_node());
    /// let one = Project::new("mysite", "1.0.0").channel_layer(layer);
    /// ```
    #[must_use]
    pub fn channel_layer(mut self, layer: impl ChannelLayer) -> Self {
        self.home.layer = Some(Box::new(|builder| builder.layer(layer)));
        self
    }
}

/// Whether nothing outlives the process, so that its key need not either.
pub(super) fn is_in_memory(said: &AccountSettings) -> bool {
    let url = said.database_url.as_deref().unwrap_or_default();
    url.starts_with("sqlite:") && (url.contains(":memory:") || url.contains("mode=memory"))
}
