//! A browser in which pages can be looked at.

use browsers::{Axe, with_browsers};

#[tokio::test]
async fn axe_names_the_serious_faults_of_a_page_and_where_they_are() {
    let Some(axe) = Axe::find() else { return };
    with_browsers(async |browsers| {
        let tab = browsers.open().await;
        tab.go("data:text/html,<html lang=en><title>Tea</title><main><h1>Tea</h1><img src=x></main>").await;
        let faults = axe.faults(&tab).await;
        assert!(faults.len() == 1 && faults[0].starts_with("image-alt: "), "{faults:?}");
        assert!(faults[0].contains("<img src="), "{faults:?}");
        tab.go("data:text/html,<html lang=en><title>Tea</title><main><h1>Tea</h1><img src=x alt=cup></main>")
            .await;
        assert_eq!(axe.faults(&tab).await, [""; 0]);
    })
    .await;
}
