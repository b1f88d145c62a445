//! What no transaction can take back, and its entry in the log.

use std::panic::resume_unwind;

use http::StatusCode;
use narrows_web::{Db, Error, Result};

use crate::log::{self, Action, Change};
use crate::rows::Key;
use crate::shell::Staff;

/// Does something to its end, also when who asked goes away meanwhile: it must not be done without its entry in the log.
pub(crate) async fn to_its_end(deed: impl Future<Output = Result> + Send + 'static) -> Result {
    match tokio::spawn(deed).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The process ends.
            Err(error) => Err(Error::status(StatusCode::SERVICE_UNAVAILABLE).because(error)),
        },
    }
}

/// Writes down what was done: in the process's own log, where the database does not take it.
pub(crate) async fn write_down(
    db: &Db,
    staff: &Staff,
    action: Action,
    (table, key): (&str, &Key),
    label: &str,
    changes: &[Change],
) -> Result<()> {
    let written = log::write(db, staff, action, table, key, label, changes).await;
    if let Err(error) = &written {
        tracing::error!(
            %error, username = staff.user().username, ?action, table, %key, label, ?changes,
            "something was done in the admin, and its entry could not be written"
        );
    }
    Ok(written?)
}
