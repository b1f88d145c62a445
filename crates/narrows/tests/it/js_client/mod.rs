//! The JavaScript client with a real server, in Node and in Chromium, over a link that breaks.

mod cases;
mod chromium_only;
mod faults;
mod files;
mod page;
mod site;

use page::Page;
use site::Site;

/// Runs a case in Node; left out where that is missing.
async fn in_node(case: impl AsyncFnOnce(&mut Site, &Page, &str)) {
    let Some(page) = Page::node() else { return };
    let mut site = Site::start().await;
    let address = site.address("ws", "/ws/room");
    case(&mut site, &page, &address).await;
}

/// Runs a case in Chromium, in a page of the site's own; left out where that is missing.
async fn in_chromium(case: impl AsyncFnOnce(&mut Site, &Page, &str)) {
    browsers::with_browsers(async |browsers| {
        let mut site = Site::start().await;
        let tab = browsers.open().await;
        tab.go(&site.address("http", "/")).await;
        case(&mut site, &Page::Chromium(tab), "/ws/room").await;
    })
    .await;
}

/// A test for each place.
macro_rules! everywhere {
    ($($case:ident),* $(,)?) => {
        mod node {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::in_node(super::cases::$case).await;
                }
            )*
        }
        mod chromium {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::in_chromium(super::cases::$case).await;
                }
            )*
        }
    };
}

everywhere! {
    requests_are_answered_with_a_value_or_an_error,
    a_connection_that_was_cut_is_made_again,
    a_link_that_loses_everything_is_noticed_and_left,
    a_server_that_is_restarted_is_found_again,
    what_is_sent_without_a_connection_arrives_with_the_next,
    after_a_final_close_nothing_is_tried,
    a_connection_goes_on_where_it_was_cut_off,
    each_message_arrives_once_and_in_order_whatever_happens_to_the_link,
    each_message_arrives_once_and_in_order_over_restarts_of_the_server,
    what_is_sent_again_counts_once_and_keeps_its_order,
    what_is_lost_for_good_is_told,
    the_roster_is_right_and_quiet_over_cuts_stalls_and_restarts,
}
