use crate::command::{bench, failure};

#[test]
fn a_wrong_address_is_explained() {
    let said = failure("fanout --url http://127.0.0.1:8000/");
    assert!(
        said.starts_with("narrows: --url http://127.0.0.1:8000/: this is no WebSocket address"),
        "{said}"
    );
    assert!(said.contains("for example ws://"), "{said}");
    let said = failure("connect --url wss://127.0.0.1:8000/");
    assert!(said.contains("TLS is not spoken here"), "{said}");
    let said = failure("idle --url ws://no-such-host.invalid/ --pid 1");
    assert!(said.contains("use a host name or address that resolves"), "{said}");
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for (arguments, expected) in [
        ("fanout --members 0", "at least 1 is needed"),
        ("fanout --window 0", "at least 1 is needed"),
        ("fanout --rate 0", "a rate is from"),
        ("echo --rate NaN", "a rate is from"),
        ("echo --seconds=-1", "a time is from"),
        ("echo --seconds=nan", "a time is from"),
        ("rooms --window 2 --rate 5", "cannot be used with"),
        ("churn --per-second 0", "a rate is from"),
        ("connect --concurrency 0", "at least 1 is needed"),
        ("slow --rounds 0", "at least 1 is needed"),
        ("echo --bytes 20", "--bytes 20 is less than 21"),
    ] {
        let said = failure(&format!("{arguments} --url ws://127.0.0.1:1/{{room}}/"));
        assert!(said.contains(expected), "{arguments}: {said}");
    }
}

#[test]
fn more_connections_than_the_system_allows_are_refused_before_the_first() {
    for mode in ["fanout --members 2000000000", "echo --connections 2000000000", "churn --members 2000000000"]
    {
        let said = failure(&format!("{mode} --url ws://127.0.0.1:1/"));
        assert!(said.contains("this process may open") && said.contains("ulimit -Hn"), "{said}");
        assert!(said.contains("LimitNOFILE"), "{said}");
    }
    let said = failure("rooms --url ws://127.0.0.1:1/{room}/ --rooms 18446744073709551615");
    assert!(said.contains("this process may open"), "{said}");
}

#[test]
fn a_process_that_is_not_there_is_told() {
    let said = failure("fanout --url ws://127.0.0.1:1/ --pid 4294967295");
    assert!(said.contains("--pid 4294967295") && said.contains("process id of the server"), "{said}");
}

#[test]
fn each_mode_has_help() {
    for mode in ["fanout", "rooms", "echo", "idle", "connect", "churn", "slow"] {
        let help = String::from_utf8(bench(&format!("{mode} --help")).stdout).unwrap();
        for flag in ["--url", "--pid", "--seconds", "--json", "--plot", "--no-progress", "--envelope"] {
            assert!(help.contains(flag), "{mode} has no {flag}");
        }
    }
}
