//! The ordeal in a shortened form; `cargo xtask ordeal` runs all of it.

use std::time::Duration;

use ordeal::Ordeal;

#[test]
fn everything_arrives_once_and_in_order_through_cuts_and_restarts() {
    let Some(_) = programs::need(["node", "redis-server"]) else { return };
    let ordeal = Ordeal {
        node_program: env!("CARGO_BIN_EXE_ordeal-node").into(),
        clients: 40,
        time: Duration::from_secs(20),
        rate: 50.0,
        cut: Duration::from_secs(2),
        between_cuts: Duration::from_secs(3),
        rounds: 1,
    };
    let outcome = ordeal.run().unwrap();
    assert!(outcome.is_flawless(), "{outcome:#?}");
    let was_hard = outcome.opened > outcome.clients && outcome.resumed > 0;
    assert!(was_hard, "neither a cut nor a restart took effect: {outcome:#?}");
}
