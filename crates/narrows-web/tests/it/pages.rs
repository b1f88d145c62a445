//! What the tests of pages have in common: projects in a folder of their own.

use std::fs;
use std::path::Path;

use axum::body::Body;
use http::Request;
use narrows_web::testing::{TestResponse, TestSite};
use narrows_web::{Assets, Project};
use tempfile::TempDir;

/// A folder of these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    root
}

pub(crate) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A project whose templates and static files are in this folder.
pub(crate) fn project_of(root: &TempDir) -> Project {
    Project::new("small", "1.0.0").assets(Assets::folder(root.path().to_str().unwrap()))
}

/// Asks with these headers.
pub(crate) async fn get(site: &TestSite, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    request(site, "GET", path, headers).await
}

pub(crate) async fn request(
    site: &TestSite,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> TestResponse {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.request(request.body(Body::empty()).unwrap()).await
}
