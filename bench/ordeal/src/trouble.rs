use std::thread::{self, sleep};
use std::time::Instant;

use rig::Proxy;

use crate::Ordeal;
use crate::nodes::Nodes;

/// Cuts the network again and again, and restarts one node after another, until the time is over; then all is whole.
pub(crate) fn make(nodes: &mut Nodes, ordeal: &Ordeal) {
    let networks = nodes.networks();
    thread::scope(|scope| {
        scope.spawn(|| cut(&networks, ordeal));
        let restarts = ordeal.rounds * Nodes::COUNT;
        let start = Instant::now();
        for number in 0..restarts {
            let at = ordeal.time.mul_f64((number + 1) as f64 / (restarts + 1) as f64);
            sleep(at.saturating_sub(start.elapsed()));
            nodes.restart(number % Nodes::COUNT);
        }
    });
}

fn cut(networks: &[impl std::ops::Deref<Target = Proxy>], ordeal: &Ordeal) {
    let start = Instant::now();
    let mut resets = true;
    while start.elapsed() + ordeal.between_cuts + ordeal.cut < ordeal.time {
        sleep(ordeal.between_cuts);
        // Every other time connections are lost, and otherwise only silent.
        networks.iter().for_each(|network| if resets { network.cut() } else { network.blackhole() });
        resets = !resets;
        sleep(ordeal.cut);
        networks.iter().for_each(|network| network.mend());
    }
    sleep(ordeal.time.saturating_sub(start.elapsed()));
}
