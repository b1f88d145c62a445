//! What holds however a site is set up: both layers, both formats, with keys and without, on one host and on three.

use narrows_core::PayloadFormat::{Json, MsgPack};
use narrows_redis::Kind::{Core, PubSub};

use crate::site::{Setup, Site};
use crate::{direct, groups, large, named, names, order, values};

/// A test for each set-up, with servers and a Python process of its own.
macro_rules! setups {
    ($($name:ident: $kind:ident $format:ident $encrypted:literal $hosts:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let setup = Setup { kind: $kind, format: $format, encrypted: $encrypted, hosts: $hosts };
                let Some(site) = Site::start(setup) else { return };
                groups::each_member_on_both_sides_gets_what_any_side_sends(&site).await;
                direct::a_message_for_one_channel_reaches_it_wherever_it_is(&site).await;
                named::a_named_channel_is_taken_from_on_both_sides(&site).await;
                order::each_senders_messages_keep_their_order(&site).await;
                values::values_are_the_same_on_the_other_side(&site).await;
                names::the_longest_names_of_all_legal_characters_are_understood(&site).await;
                large::a_message_of_a_mebibyte_arrives(&site).await;
            }
        )*
    };
}

setups! {
    pubsub_msgpack_on_one_host: PubSub MsgPack false 1;
    pubsub_msgpack_on_three_hosts: PubSub MsgPack false 3;
    pubsub_msgpack_with_keys_on_one_host: PubSub MsgPack true 1;
    pubsub_msgpack_with_keys_on_three_hosts: PubSub MsgPack true 3;
    pubsub_json_on_one_host: PubSub Json false 1;
    pubsub_json_on_three_hosts: PubSub Json false 3;
    pubsub_json_with_keys_on_one_host: PubSub Json true 1;
    pubsub_json_with_keys_on_three_hosts: PubSub Json true 3;
    core_msgpack_on_one_host: Core MsgPack false 1;
    core_msgpack_on_three_hosts: Core MsgPack false 3;
    core_msgpack_with_keys_on_one_host: Core MsgPack true 1;
    core_msgpack_with_keys_on_three_hosts: Core MsgPack true 3;
    core_json_on_one_host: Core Json false 1;
    core_json_on_three_hosts: Core Json false 3;
    core_json_with_keys_on_one_host: Core Json true 1;
    core_json_with_keys_on_three_hosts: Core Json true 3;
}
