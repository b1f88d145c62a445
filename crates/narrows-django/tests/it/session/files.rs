//! Sessions in files.

use std::fs;
use std::time::{Duration, SystemTime};

use narrows_django::{SaveError, SessionCookie, SessionEngine};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::{Site, values};
use crate::vectors::{text, vectors};

async fn site(folder: &TempDir) -> Site {
    Site::new(|accounts| accounts.sessions(SessionEngine::Files(folder.path().to_owned()))).await
}

fn names(folder: &TempDir) -> Vec<String> {
    fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Lets a file be of so long ago.
fn age(folder: &TempDir, name: &str, by: Duration) {
    let file = fs::File::options().append(true).open(folder.path().join(name)).unwrap();
    file.set_modified(SystemTime::now() - by).unwrap();
}

#[tokio::test]
async fn a_file_of_django_is_read() {
    let (folder, vector) = (tempdir().unwrap(), vectors("file_session"));
    let key = text(vector, "session_key");
    fs::write(folder.path().join(text(vector, "basename")), text(vector, "content")).unwrap();
    let accounts = site(&folder).await.accounts;
    // It was signed with the keys of the vectors.
    assert_eq!(values(&accounts.session(Some(key)).await.unwrap()), json!({"a": 1}));
}

#[tokio::test]
async fn a_file_has_the_name_of_djangos_and_is_nobody_elses() {
    let folder = tempdir().unwrap();
    let mut browser = site(&folder).await.browser();
    browser.tell("set a 1").await;
    browser.tell("set a 2").await;
    let name = format!("sessionid{}", browser.cookie.unwrap());
    assert_eq!(names(&folder), std::slice::from_ref(&name));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn no_key_leads_out_of_the_folder() {
    let folder = tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir_all(inner.join("sessionid")).unwrap();
    let vector = vectors("file_session");
    fs::write(folder.path().join("secret99"), text(vector, "content")).unwrap();
    let site = Site::new(|accounts| accounts.sessions(SessionEngine::Files(inner.clone()))).await;
    for key in ["/../../secret99", "..%2fsecret99", "ABCDEFGHIJ", "_out_abcdefgh"] {
        let session = site.accounts.session(Some(key)).await.unwrap();
        assert_eq!(session.key(), None, "{key}");
        session.insert("a", 1).unwrap();
        session.flush();
        session.save().await.unwrap();
    }
    assert!(folder.path().join("secret99").exists());
}

#[tokio::test]
async fn one_that_is_over_is_empty_and_its_file_is_deleted() {
    let folder = tempdir().unwrap();
    let mut browser = site(&folder).await.browser();
    for (lines, hours) in [("set a 1", 15 * 24), ("set a 1\nafter 3600", 2)] {
        browser.tell(lines).await;
        age(&folder, &names(&folder)[0], Duration::from_secs(hours * 60 * 60));
        assert_eq!(browser.tell("").await.body["values"], json!({}), "{lines}");
        assert_eq!(names(&folder).len(), 0, "{lines}");
    }
}

#[tokio::test]
async fn what_is_over_is_cleared_and_nothing_else() {
    let folder = tempdir().unwrap();
    let site = site(&folder).await;
    site.browser().tell("set old true").await;
    age(&folder, &names(&folder)[0], Duration::from_secs(15 * 24 * 60 * 60));
    let mut browser = site.browser();
    browser.tell("set new true").await;
    fs::write(folder.path().join("notes.txt"), "not a session").unwrap();
    assert_eq!(site.accounts.clear_expired_sessions().await.unwrap(), 1);
    assert_eq!(names(&folder).len(), 2);
    assert_eq!(browser.tell("").await.body["values"], json!({"new": true}));
}

#[tokio::test]
async fn an_empty_file_is_a_session_in_the_making() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("sessionidabcdefgh12345678"), "").unwrap();
    let session = site(&folder).await.accounts.session(Some("abcdefgh12345678")).await.unwrap();
    assert_eq!((session.key().as_deref(), values(&session)), (Some("abcdefgh12345678"), json!({})));
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_and_not_a_log_out() {
    let folder = tempdir().unwrap();
    let site = site(&folder).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();
    assert_eq!(browser.send("POST", "/do", "").await.status, 503);
    assert_eq!(site.browser().send("POST", "/do", "set a 1").await.status, 503);
    fs::rename(&away, folder.path()).unwrap();
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[tokio::test]
async fn two_sites_with_cookies_of_different_names_share_a_folder() {
    let folder = tempdir().unwrap();
    let engine = SessionEngine::Files(folder.path().to_owned());
    let cookie = SessionCookie::default().name("other");
    let other = Site::new(|accounts| accounts.sessions(engine).cookie(cookie)).await;
    let session = site(&folder).await.accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    assert_eq!(other.accounts.session(session.key().as_deref()).await.unwrap().key(), None);
}

#[tokio::test]
async fn a_value_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempdir().unwrap();
    let accounts = site(&folder).await.accounts;
    let session = accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let path = folder.path().join(&names(&folder)[0]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    session.insert("a", 2).unwrap();
    assert!(matches!(session.save().await, Err(SaveError::Unavailable(_))));
    assert_eq!(names(&folder).len(), 1);
    assert!(session.is_modified());
}
