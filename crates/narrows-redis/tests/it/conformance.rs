//! Every promise of a channel layer, on each of the two, however they are set up.

use std::time::Duration;

use narrows_core::conformance::Suite;
use narrows_redis::{CoreLayer, PayloadFormat, PubSubLayer, RedisOptions};

/// The suite on a server of its own, for nodes with these options.
macro_rules! conforms {
    ($name:ident, $layer:ident, $options:expr $(, $setting:ident($value:expr))?) => {
        mod $name {
            use super::*;

            narrows_core::conformance!({
                let servers: Vec<_> = (0..3).map_while(|_| rig::Redis::start()).collect();
                if servers.len() < 3 {
                    return;
                }
                Suite::new(async move |count: usize| {
                    let options: fn(&[rig::Redis]) -> RedisOptions = $options;
                    (0..count)
                        .map(|_| $layer::new(options(&servers)).expect("the options are right"))
                        .collect()
                })
                $(.$setting($value))?
            });
        }
    };
}

fn one(servers: &[rig::Redis]) -> RedisOptions {
    several(&servers[..1])
}

fn several(servers: &[rig::Redis]) -> RedisOptions {
    let hosts = servers.iter().map(|server| server.url().parse().expect("it is a URL"));
    // Without optimisation, encrypting the largest payload takes its time.
    RedisOptions::several(hosts).answer_timeout(Duration::from_secs(10))
}

conforms!(pubsub, PubSubLayer, one);
conforms!(core, CoreLayer, one);
conforms!(pubsub_on_three_hosts, PubSubLayer, |servers| several(servers).format(PayloadFormat::Json));
// A named channel's messages go to the hosts in turn there, as Django's workers take them.
conforms!(
    core_on_three_hosts,
    CoreLayer,
    |servers| several(servers).format(PayloadFormat::Json),
    ordered_queues(false)
);
conforms!(encrypted_pubsub, PubSubLayer, |servers| one(servers).symmetric_encryption_keys(["new", "old"]));
conforms!(encrypted_core, CoreLayer, |servers| one(servers).symmetric_encryption_keys(["new", "old"]));
