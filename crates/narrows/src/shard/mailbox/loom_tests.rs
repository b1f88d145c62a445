//! Models of the mailbox: every way in which its users' steps can fall between each other.
//!
//! What wakes a shard or a publisher is a stand-in (see `sync/modelled.rs`): these prove that we wake, not
//! that a waker works. A wake-up that is lost shows as a deadlock, which loom reports.

use std::future::poll_fn;
use std::task::Poll;

use loom::future::block_on;
use loom::thread;
use narrows_core::PayloadFormat;

use super::*;

const TOPIC: u64 = 1;

/// All interleavings of three threads take minutes; bugs need few preemptions.
fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut bounded = loom::model::Builder::new();
    bounded.preemption_bound = Some(2);
    bounded.check(check);
}

/// A message that its size tells from others.
fn message(size: usize) -> Arc<Delivery> {
    Arc::new(Delivery::new(TOPIC, vec![0; size].into(), PayloadFormat::MsgPack))
}

/// What the shard's engine does: registers, takes, and sleeps until it is woken.
fn take_until(mailbox: &Mailbox, enough: impl Fn(&[Mail]) -> bool) -> Vec<Mail> {
    let mut taken = Vec::new();
    block_on(poll_fn(|cx| {
        mailbox.register(cx.waker());
        taken.append(&mut mailbox.take(Vec::new()));
        if enough(&taken) { Poll::Ready(()) } else { Poll::Pending }
    }));
    taken
}

fn sizes(mail: &[Mail]) -> Vec<usize> {
    let size = |m: &Mail| if let Mail::Deliver(d) = m { Some(d.payload.len()) } else { None };
    mail.iter().filter_map(size).collect()
}

#[test]
fn what_is_posted_is_taken_however_the_posts_fall() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let others = [1, 2].map(|size| {
            let mailbox = mailbox.clone();
            thread::spawn(move || match size {
                1 => assert!(mailbox.deliver(message(size))),
                _ => mailbox.post(Mail::Stop),
            })
        });
        let taken = take_until(&mailbox, |mail| mail.len() == 2);
        assert_eq!(sizes(&taken), [1]);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn what_one_thread_delivers_keeps_its_order() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let publisher = {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                assert!(mailbox.deliver(message(1)));
                mailbox.post(Mail::Gap(Some(TOPIC), Gap::Reconnected));
                assert!(mailbox.deliver(message(2)));
            })
        };
        let taken = take_until(&mailbox, |mail| mail.len() == 3);
        assert!(matches!(taken[..], [Mail::Deliver(_), Mail::Gap(..), Mail::Deliver(_)]));
        assert_eq!(sizes(&taken), [1, 2]);
        publisher.join().unwrap();
    });
}

#[test]
fn the_bound_holds_and_what_is_turned_away_leaves_a_notice() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let publishers = [10, 20].map(|size| {
            let mailbox = mailbox.clone();
            thread::spawn(move || [size, size + 1].map(|n| mailbox.deliver(message(n))))
        });
        let early = mailbox.take(Vec::new());
        assert!(sizes(&early).len() <= Mailbox::MAX_DELIVERIES);
        let kept = publishers.map(|publisher| publisher.join().unwrap());
        let late = mailbox.take(Vec::new());
        assert!(sizes(&late).len() <= Mailbox::MAX_DELIVERIES);
        let taken = sizes(&early).len() + sizes(&late).len();
        assert_eq!(taken, kept.iter().flatten().filter(|kept| **kept).count());
        let told = early.iter().chain(&late).any(|m| matches!(m, Mail::Gap(..)));
        assert_eq!(told, taken < 4);
    });
}

#[test]
fn a_publisher_that_waits_for_room_goes_on_when_there_is_some() {
    model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let publishers = [1, 2].map(|size| {
            let mailbox = mailbox.clone();
            thread::spawn(move || {
                let kept = mailbox.deliver(message(size));
                block_on(mailbox.room());
                kept
            })
        });
        let taken = take_until(&mailbox, |mail| mail.len() == 2);
        assert_eq!(sizes(&taken).len(), 2);
        assert!(publishers.into_iter().all(|publisher| publisher.join().unwrap()));
    });
}
