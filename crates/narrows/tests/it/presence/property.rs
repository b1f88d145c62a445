//! Who joins the diffs, then reads the roster, then takes in what has a higher version, knows who is there.

use std::collections::BTreeMap;
use std::time::Duration;

use narrows::Roster;
use narrows::layer::MemoryLayer;
use narrows::testing::TestClient;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::kit::{Diff, House, ask};

#[derive(Debug, Clone)]
enum Act {
    /// A connection under one of a few keys.
    Enter {
        key: u8,
        meta: u8,
        on_second: bool,
    },
    Leave {
        which: prop::sample::Index,
    },
    Update {
        which: prop::sample::Index,
        meta: u8,
    },
    /// Some time, in which a diff may come.
    Wait {
        ms: u64,
    },
    /// Another one begins to keep the roster.
    Read,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..5u8, 0..3u8, any::<bool>())
            .prop_map(|(key, meta, on_second)| Act::Enter { key, meta, on_second }),
        3 => any::<prop::sample::Index>().prop_map(|which| Act::Leave { which }),
        2 => (any::<prop::sample::Index>(), 0..3u8).prop_map(|(which, meta)| Act::Update { which, meta }),
        2 => (0..1500u64).prop_map(|ms| Act::Wait { ms }),
        2 => Just(Act::Read),
    ];
    prop::collection::vec(act, 1..40)
}

/// One who keeps the roster as a client does.
struct Client {
    link: TestClient,
    people: BTreeMap<String, Vec<Value>>,
    version: u64,
}

impl Client {
    async fn begin(house: &House) -> Self {
        let mut link = house.watching().await;
        link.send(&json!({ "do": "roster", "room": "lobby" })).await;
        let mut early = Vec::new();
        let roster: Roster<Value> = loop {
            let message: Value = link.receive().await;
            if message["type"] == "roster" {
                break serde_json::from_value(message).unwrap();
            }
            early.push(serde_json::from_value::<Diff>(message).unwrap());
        };
        let mut client = Self { link, people: roster.people, version: roster.version };
        early.into_iter().for_each(|diff| client.take_in(diff));
        client
    }

    fn take_in(&mut self, diff: Diff) {
        if diff.version <= self.version {
            return;
        }
        // Of a group that was empty the first version is any.
        assert!(diff.version == self.version + 1 || self.people.is_empty(), "{} {diff:?}", self.version);
        self.version = diff.version;
        self.people.extend(diff.joins);
        self.people.extend(diff.updates);
        self.people.retain(|key, _| !diff.leaves.contains(key));
    }

    async fn catch_up(&mut self) {
        self.link.receive_timeout(Duration::from_secs(3));
        while let Some(message) = self.link.next().await {
            let narrows::testing::Received::Text(text) = message else { panic!("{message}") };
            self.take_in(serde_json::from_str(&text).unwrap());
        }
        for metas in self.people.values_mut() {
            metas.sort_by_key(Value::to_string);
        }
    }
}

async fn run(acts: Vec<Act>) {
    let layer = MemoryLayer::new();
    let houses = [House::on(layer.another_node()), House::on(layer)];
    let mut guests: Vec<(TestClient, String, u8)> = Vec::new();
    let mut clients = vec![Client::begin(&houses[0]).await];
    for act in acts {
        match act {
            Act::Enter { key, meta, on_second } => {
                let (mut guest, key) = (houses[usize::from(on_second)].guest().await, format!("k{key}"));
                let wish = json!({ "do": "track", "room": "lobby", "key": key, "meta": meta });
                ask(&mut guest, wish).await;
                guests.push((guest, key, meta));
            }
            Act::Leave { which } if !guests.is_empty() => {
                let (guest, ..) = guests.swap_remove(which.index(guests.len()));
                guest.close(1000, "").await;
            }
            Act::Update { which, meta } if !guests.is_empty() => {
                let at = which.index(guests.len());
                ask(&mut guests[at].0, json!({ "do": "update", "room": "lobby", "meta": meta })).await;
                guests[at].2 = meta;
            }
            Act::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Act::Read if clients.len() < 4 => clients.push(Client::begin(&houses[clients.len() % 2]).await),
            _ => {}
        }
    }
    let mut truth: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (_, key, meta) in &guests {
        truth.entry(key.clone()).or_default().push(json!(meta));
    }
    truth.values_mut().for_each(|metas| metas.sort_by_key(Value::to_string));
    for client in &mut clients {
        client.catch_up().await;
        assert_eq!(client.people, truth);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_roster_and_the_diffs_behind_it_are_the_truth(acts in acts()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap().block_on(run(acts));
    }
}
