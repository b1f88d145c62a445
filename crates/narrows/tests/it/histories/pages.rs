use narrows::{BroadcastError, HistoryPage, HistoryRange};

use super::kit::{Said, room, site};

fn numbers(page: &HistoryPage<Said>) -> Vec<u64> {
    page.messages.iter().map(|(_, said)| said.n).collect()
}

#[tokio::test(start_paused = true)]
async fn a_history_is_read_backwards_page_by_page() {
    let site = site();
    site.say("a", 1..=7).await;
    let newest = site.channels.history(&room("a"), HistoryRange::newest(3)).await.unwrap();
    assert_eq!((numbers(&newest), newest.complete, newest.top.offset), (vec![5, 6, 7], false, 7));
    let before = HistoryRange::before(newest.messages[0].0, 3);
    let page = site.channels.history(&room("a"), before).await.unwrap();
    assert_eq!((numbers(&page), page.complete), (vec![2, 3, 4], false));
    let before = HistoryRange::before(page.messages[0].0, 3);
    let page = site.channels.history(&room("a"), before).await.unwrap();
    assert_eq!((numbers(&page), page.complete), (vec![1], true));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_of_the_group_is_left_out_and_counted() {
    let site = site();
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Other {
        odd: bool,
    }
    let history = room("a").history().unwrap();
    let odd = narrows::Group::new(room("a").name()).unwrap().with_history(history);
    site.say("a", 1..=1).await;
    site.other.broadcast(&odd, &Other { odd: true }).await.unwrap();
    site.say("a", 2..=2).await;
    let page = site.channels.history(&room("a"), HistoryRange::newest(9)).await.unwrap();
    assert_eq!((numbers(&page), page.top.offset), (vec![1, 2], 3));
    assert_eq!(site.channels.stats().dropped(narrows::DropReason::Undecodable), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_once_whichever_node_sends_it() {
    let site = site();
    let first = site.channels.broadcast_once(&room("a"), &Said { n: 1 }, "x").await.unwrap();
    let again = site.other.broadcast_once(&room("a"), &Said { n: 1 }, "x").await.unwrap();
    assert!(first.is_some() && first == again);
    let bare = site.channels.broadcast_once(&room("a").without_history(), &Said { n: 1 }, "x").await;
    assert_eq!(bare.unwrap(), None);
    for id in ["", &"x".repeat(129)] {
        let refused = site.channels.broadcast_once(&room("a"), &Said { n: 1 }, id).await;
        assert!(matches!(refused, Err(BroadcastError::Id { bytes }) if bytes == id.len()));
    }
}
