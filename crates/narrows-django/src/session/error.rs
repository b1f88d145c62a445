use crate::database::DatabaseError;

/// Why a session was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// It was deleted since it was loaded, by a log-out in another request: what Django calls an `UpdateError`. It stays
    /// deleted.
    #[error("the session was deleted before it could be saved")]
    Deleted,
    /// What keeps it is away.
    #[error("the session cannot be saved now")]
    Unavailable(#[from] DatabaseError),
    /// It has a value that is not JSON.
    #[error("the session cannot be written as JSON")]
    Content(#[from] serde_json::Error),
}
