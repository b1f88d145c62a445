use rig::{Cluster, Connection, Redis};

#[test]
fn a_replica_takes_over_from_a_master_that_is_killed_or_frozen() {
    let Some(cluster) = Cluster::start() else { return };
    assert_eq!(cluster.urls().len(), 6);
    let key = "asgi:group:room";
    cluster.master_of(key).cli(&["SET", key, "value"]);
    cluster.master_of(key).cli(&["WAIT", "1", "0"]);
    let replica = cluster.replica_of(key).port();
    let old = cluster.kill_master_of(key);
    assert_eq!(cluster.wait_for_failover(key), replica);
    assert_eq!(cluster.master_of(key).cli(&["GET", key]), "value");
    let back = cluster.nodes().iter().find(|node| node.port() == old).unwrap();
    back.restart();
    cluster.wait_until_ok();
    assert_eq!(cluster.replica_of(key).port(), old);
    assert_eq!(cluster.fail_over(key), old);
    // Of another master, as Redis wants time between two failovers of one.
    let other =
        (0..).map(|n| format!("key{n}")).find(|other| cluster.master_of(other).port() != old).unwrap();
    let (master, replica) = (cluster.master_of(&other), cluster.replica_of(&other).port());
    master.freeze();
    assert_eq!(cluster.wait_for_failover(&other), replica);
    master.thaw();
    cluster.wait_until_ok();
    assert_eq!(cluster.replica_of(&other).port(), master.port());
}

#[test]
fn a_slot_moves_to_another_master_with_its_keys() {
    let Some(cluster) = Cluster::start_with(Redis::options().password("secret")) else { return };
    let source = cluster.master_of("{room}1");
    for n in 0..250 {
        source.cli(&["SET", &format!("{{room}}{n}"), &n.to_string()]);
    }
    let mut client = Connection::to_port(source.port()).unwrap();
    client.command(&["AUTH", "secret"]).unwrap();
    let slot = cluster.slot_of("{room}");
    let target = cluster.begin_migration("{room}");
    let answer = client.command(&["GET", "{room}new"]).unwrap();
    assert_eq!(answer.to_string(), format!("ASK {slot} 127.0.0.1:{target}"));
    assert_eq!(client.command(&["GET", "{room}7"]).unwrap().to_string(), "7");
    cluster.finish_migration("{room}", target);
    let answer = client.command(&["GET", "{room}7"]).unwrap();
    assert_eq!(answer.to_string(), format!("MOVED {slot} 127.0.0.1:{target}"));
    let new = cluster.master_of("{room}");
    assert_eq!(new.port(), target);
    assert_eq!(
        (0..250).map(|n| new.cli(&["GET", &format!("{{room}}{n}")])).collect::<Vec<_>>(),
        numbers(250)
    );
    assert_ne!(cluster.migrate_slot("{room}"), target);
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}
