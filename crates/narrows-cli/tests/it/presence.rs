use crate::command::{assert_keys, clean, failure, run};
use crate::server;

#[test]
fn presence_says_what_each_member_was_told() {
    let (url, own) = (server::start(), std::process::id());
    for sees in ["diffs", "counts"] {
        let report = clean(&format!(
            "presence --url {url}/presence/{sees}/{{n}}/ --members 50 --over 0.5 --patience 30 --pid {own}"
        ));
        assert_keys(
            &report,
            "url members seconds frames_per_member_mean frames_per_member_max kib_per_member_mean told_of_all \
             all_told_ms last_right_ms server generator",
        );
        assert_eq!((report["members"].as_u64(), report["told_of_all"].as_u64()), (Some(50), Some(50)));
        let (mean, max) =
            (report["frames_per_member_mean"].as_f64(), report["frames_per_member_max"].as_u64());
        assert!(mean.unwrap() >= 1.0 && max.unwrap() < 50, "{report}");
    }
}

#[test]
fn a_server_without_presence_is_told_of() {
    let url = server::start();
    let said = failure(&format!("presence --url {url}/echo/ --members 2 --over 0 --patience 0.5"));
    assert!(said.contains("does ws://") && said.contains("send presence"), "{said}");
}

#[test]
fn members_who_are_not_told_of_all_fail_the_run() {
    let url = server::start();
    // All are one person there.
    let one = run(&format!("presence --url {url}/presence/diffs/1/ --members 3 --over 0 --patience 1"));
    assert!(!one.is_success);
    assert_eq!(one.report["told_of_all"], 0);
}
