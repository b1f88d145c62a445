use crate::command::{assert_costs, assert_keys, clean, failure};
use crate::crooked;
use crate::server;

#[test]
fn slow_measures_with_and_without_members_that_never_read() {
    let (url, own) = (server::start(), std::process::id());
    // 5 MB: more than a send buffer and an outbox hold, and not so fast that those that read fall behind by as much
    // when the machine is busy.
    let report = clean(&format!(
        "slow --url {url}/room/a/ --members 6 --stalled 3 --rounds 1 --bytes 50000 --rate 40 --seconds 2.5 \
         --warm-up 0.1 --pid {own}"
    ));
    assert_keys(
        &report,
        "url members stalled rounds bytes rate seconds without with p50_ratio p99_ratio stalled_ended lost duplicated \
         out_of_order resident_kib_before resident_kib_peak resident_kib_after server generator",
    );
    for phase in ["without", "with"] {
        let phase = &report[phase];
        assert_keys(
            phase,
            "published deliveries deliveries_per_second lost duplicated out_of_order latency_micros",
        );
        assert_eq!(phase["deliveries"], phase["published"].as_u64().unwrap() * 3);
        assert_keys(&phase["latency_micros"], "p50 p90 p99 p999 max");
    }
    assert_eq!((&report["stalled"], &report["stalled_ended"]), (&3.into(), &3.into()));
    let ratio = |key: &str| {
        report["with"]["latency_micros"][key].as_f64().unwrap()
            / report["without"]["latency_micros"][key].as_f64().unwrap()
    };
    assert!((report["p99_ratio"].as_f64().unwrap() - ratio("p99")).abs() < 1e-6);
    assert!((report["p50_ratio"].as_f64().unwrap() - ratio("p50")).abs() < 1e-6);
    assert!(report["resident_kib_peak"].as_u64().unwrap() > 0);
    let mut with_latency = report.clone();
    with_latency["latency_micros"] = report["with"]["latency_micros"].clone();
    assert_costs(&with_latency);
}

#[test]
fn members_that_the_server_keeps_are_not_counted_as_ended() {
    let url = crooked::answering(|| |message| vec![message]);
    let report = clean(&format!(
        "slow --url {url} --members 3 --stalled 2 --rounds 2 --rate 100 --seconds 0.2 --warm-up 0"
    ));
    assert_eq!(report["stalled_ended"], 0);
    assert_eq!(report["resident_kib_peak"], serde_json::Value::Null);
}

#[test]
fn somebody_has_to_read() {
    let said = failure("slow --url ws://127.0.0.1:1/ --members 5 --stalled 5");
    assert!(said.contains("leaves nobody who reads"), "{said}");
}
