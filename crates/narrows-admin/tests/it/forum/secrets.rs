//! What is secret is shown nowhere, whatever else was said of it.

use super::forum;
use crate::support::{input, sql, value};

#[tokio::test]
async fn a_secret_is_no_label_no_column_no_filter_and_not_searched() {
    let site = forum().await;
    sql(
        &site,
        &["INSERT INTO forum_hook (id, salt, target, access_key) VALUES (1, 'hush', 'there', 'murmur')"],
    )
    .await;
    let base = "/admin/models/forum_hook/";
    for path in ["", "?sort=salt", "?q=hush", "?f.salt=hush", "1/", "1/delete/", "1/history/"] {
        let page = site.get(&format!("{base}{path}")).await;
        // What was typed into the address may stand in the page again.
        let shown = page.text().replace("value=\"hush\"", "");
        assert!(!shown.contains("hush") && !shown.contains("murmur"), "{path}: {shown}");
    }
    assert!(site.get(&format!("{base}?q=hush")).await.contains("Nothing fits."));
    assert!(site.get(base).await.contains(">there<"));
    let own = format!("{base}1/");
    let was = input(&site.get(&own).await, "_was");
    site.post_form(&own, &[("target", "here"), ("_was", &was)]).await;
    site.post_form(&format!("{own}delete/"), &[]).await;
    let log = value(&site, "SELECT group_concat(object_label || changes) FROM narrows_admin_log").await;
    assert!(log.contains("here") && !log.contains("hush") && !log.contains("murmur"), "{log}");
}
