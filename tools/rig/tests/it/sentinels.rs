use rig::{Connection, LayerOptions, Python, Redis, Reply, Sentinels};
use serde_json::json;

#[test]
fn a_replica_takes_over_from_a_master_that_is_killed() {
    let Some(sentinels) = Sentinels::start() else { return };
    assert_eq!(sentinels.urls().len(), 3);
    sentinels.master().cli(&["SET", "key", "value"]);
    sentinels.master().cli(&["WAIT", "1", "0"]);
    let old = sentinels.kill_master();
    let new = sentinels.wait_for_failover();
    assert_ne!(new, old);
    assert_eq!(sentinels.master().port(), new);
    assert_eq!(sentinels.master().cli(&["GET", "key"]), "value");
}

#[test]
fn a_replica_takes_over_while_the_master_is_well_and_with_a_password() {
    let Some(sentinels) = Sentinels::start_with(Redis::options().password("secret")) else { return };
    sentinels.kill_sentinel(2);
    let old = sentinels.master();
    let new = sentinels.fail_over();
    assert_eq!(new, sentinels.servers()[1].port());
    assert_eq!(sentinels.master().cli(&["SET", "key", "value"]), "OK");
    assert_ne!(old.port(), new);
}

#[test]
fn python_finds_the_master_by_the_sentinels_before_and_after_a_failover() {
    let (Some(sentinels), Some(python)) = (Sentinels::start(), Python::start()) else { return };
    for port in sentinels.ports() {
        let mut client = Connection::to_port(port).unwrap();
        let address = client.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Sentinels::MASTER]).unwrap();
        let master = sentinels.servers()[0].port().to_string();
        assert_eq!(address.items()[1], Reply::Text(master.into_bytes()));
    }
    let layer = python.layer(LayerOptions::core([sentinels.python_host()])).wait().unwrap();
    layer.send("named", json!({"type": "a"})).wait().unwrap();
    assert_eq!(sentinels.servers()[0].cli(&["ZCARD", "asginamed"]), "1");
    sentinels.kill_master();
    sentinels.wait_for_failover();
    sentinels.servers()[1].cli(&["FLUSHALL"]);
    layer.send("named", json!({"type": "a"})).wait().unwrap();
    assert_eq!(sentinels.servers()[1].cli(&["ZCARD", "asginamed"]), "1");
}
