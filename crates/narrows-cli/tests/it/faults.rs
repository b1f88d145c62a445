use serde_json::Value;

use crate::command::{Run, run};
use crate::crooked::answering;

/// What is found of a server that answers so, by one connection.
fn faults(url: &str) -> Value {
    let Run { report, is_success } =
        run(&format!("fanout --url {url} --members 1 --rate 400 --seconds 0.5 --warm-up 0 --patience 2"));
    assert!(!is_success, "{report}");
    report
}

fn number(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap()
}

#[test]
fn every_message_that_is_dropped_counts_as_lost() {
    let url = answering(|| {
        let mut count = 0;
        move |message| {
            count += 1;
            if count % 10 == 0 { vec![] } else { vec![message] }
        }
    });
    let report = faults(&url);
    // One message goes before the others, to see whether all are there.
    assert_eq!(number(&report, "lost"), (number(&report, "published") + 1) / 10);
    assert_eq!(number(&report, "deliveries") + number(&report, "lost"), number(&report, "published"));
    assert_eq!(number(&report, "duplicated") + number(&report, "out_of_order"), 0);
}

#[test]
fn a_closed_loop_waits_for_what_is_lost_no_longer_than_patience_goes() {
    let url = answering(|| {
        let mut count = 0;
        move |message| {
            count += 1;
            if count % 10 == 0 { vec![] } else { vec![message] }
        }
    });
    let run =
        run(&format!("echo --url {url} --connections 2 --window 3 --seconds 60 --warm-up 0 --patience 0.5"));
    assert!(!run.is_success);
    // The window does not move past the first that is lost.
    assert_eq!(number(&run.report, "lost"), 2);
}

#[test]
fn messages_that_come_twice_are_duplicated() {
    let url = answering(|| {
        let mut count = 0;
        move |message: Vec<u8>| {
            count += 1;
            if count % 10 == 0 { vec![message.clone(), message] } else { vec![message] }
        }
    });
    let report = faults(&url);
    let (found, sent) = (number(&report, "duplicated"), (number(&report, "published") + 1) / 10);
    // The last one may come when all is over.
    assert!(found == sent || found + 1 == sent, "{report}");
    assert_eq!(number(&report, "lost") + number(&report, "out_of_order"), 0);
    assert_eq!(number(&report, "deliveries"), number(&report, "published"));
}

#[test]
fn messages_that_change_places_are_out_of_order() {
    let url = answering(|| {
        let (mut count, mut held) = (0, None);
        move |message| {
            count += 1;
            if count % 10 == 0 {
                held = Some(message);
                return vec![];
            }
            [message].into_iter().chain(held.take()).collect()
        }
    });
    let report = faults(&url);
    let (found, sent) = (number(&report, "out_of_order"), (number(&report, "published") + 1) / 10);
    // The last one may be held for ever.
    assert!(found == sent || found + 1 == sent, "{report}");
    assert_eq!(number(&report, "duplicated"), 0);
}

#[test]
fn members_that_never_get_anything_are_counted_by_their_losses() {
    // Only the publisher gets its messages.
    let url = answering(|| |message| vec![message]);
    let run =
        run(&format!("fanout --url {url} --members 3 --rate 100 --seconds 0.2 --warm-up 0 --patience 0.5"));
    assert!(!run.is_success);
    assert_eq!(number(&run.report, "lost"), number(&run.report, "published") * 2);
}
