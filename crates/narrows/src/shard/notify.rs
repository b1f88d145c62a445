//! Messages for those who listen, on their way into inboxes.

use narrows_core::Gap;

use super::slot::End;
use super::state::State;
use crate::capacity::Overflow;
use crate::hub::Delivery;
use crate::stats::DropReason;
use crate::sync::Arc;

impl State {
    /// Hands a message to those who listen on its topic; whether others are held who are to have it.
    pub(super) fn notify(&mut self, delivery: &Arc<Delivery>) -> bool {
        let Some(lists) = self.topics.get(delivery.topic) else { return false };
        let mut delivered = 0;
        'listeners: for &index in &lists.listeners {
            let slot = self.slots.at(index);
            if slot.closing {
                self.counters.drop_of(DropReason::ConnectionEnded, 1);
                continue;
            }
            let capacity = slot.settings().inbox;
            let bytes = delivery.payload.len();
            let inbox = slot.inbox.get_or_insert_default();
            while !inbox.has_room(bytes, &capacity) {
                self.counters.drop_of(DropReason::Inbox, 1);
                match capacity.overflow {
                    Overflow::Close => {
                        slot.finish(End::Slow);
                        continue 'listeners;
                    }
                    Overflow::DropNewest => {
                        if slot.wants_gaps {
                            inbox.note_gap(Gap::Overflow, false);
                        }
                        continue 'listeners;
                    }
                    Overflow::DropOldest | Overflow::KeepLatest => {
                        inbox.drop_oldest();
                        if slot.wants_gaps {
                            inbox.note_gap(Gap::Overflow, true);
                        }
                    }
                }
            }
            inbox.push(delivery.clone());
            slot.wake();
            delivered += 1;
        }
        let holds = lists.past.as_ref().is_some_and(|past| past.holds());
        self.tally.deliver(delivered);
        holds
    }

    /// Tells every connection that asked for it that messages may be missing, of one topic or of any.
    pub(super) fn notify_gap(&mut self, topic: Option<u64>, gap: Gap) {
        for key in self.slots.keys() {
            let slot = self.slots.at(key.index);
            if slot.wants_gaps && topic.is_none_or(|t| slot.memberships.iter().any(|m| m.topic == t)) {
                slot.inbox.get_or_insert_default().note_gap(gap, false);
                slot.wake();
            }
        }
    }
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use std::time::Duration;

    use narrows_core::PayloadFormat;

    use super::*;
    use crate::hub::Relay;
    use crate::shard::InboxItem;
    use crate::stats::Counters;
    use crate::transport::RouteSettings;
    use crate::{Capacity, Close, Codec, Connection, Consumer, Limits, NoEvent, OriginPolicy, Reject};

    fn settings(inbox: Capacity) -> Arc<RouteSettings> {
        Arc::new(RouteSettings {
            name: "test",
            limits: Limits::default(),
            outbox: Capacity::default(),
            inbox,
            codec: Codec::Json,
            subprotocols: Vec::new(),
            number: 0,
            origin: OriginPolicy::any(),
            checks: Arc::default(),
        })
    }

    #[test]
    fn an_inbox_that_drops_its_oldest_keeps_within_its_bytes() {
        let inbox = Capacity::default().max_bytes(10).overflow(Overflow::DropOldest);
        let counters = Arc::<Counters>::default();
        let mut state = State::new(Duration::from_secs(1), counters.clone(), Arc::default());
        let key = state.insert(settings(inbox));
        assert!(state.join(key, 1, None));
        for size in [1, 1, 1, 1, 9] {
            let payload = vec![0; size].into();
            state.notify(&Arc::new(Delivery::new(1, payload, PayloadFormat::MsgPack)));
        }
        let inbox = state.slots.at(key.index).inbox.as_ref().unwrap();
        assert_eq!((inbox.messages(), counters.read([]).dropped(DropReason::Inbox)), (2, 3));
    }

    #[test]
    fn who_left_a_topic_for_good_is_not_told_what_was_lost_of_it() {
        let mut state = State::new(Duration::from_secs(1), Arc::default(), Arc::default());
        let key = state.insert(settings(Capacity::default()));
        let relay = Relay::of::<Reader, String>(Codec::Json, false);
        for topic in [1, 2] {
            assert!(state.join(key, topic, Some(relay)) && state.join(key, topic, None));
            state.note_lost(key, topic);
        }
        assert_eq!(state.leave(key, Some((1, None))), [1, 1]);
        assert_eq!(state.leave(key, Some((2, Some(true)))), [2], "it is still a member");
        let inbox = state.slots.at(key.index).inbox.as_mut().unwrap();
        let told = std::array::from_fn(|_| inbox.pop());
        assert!(matches!(told, [Some(InboxItem::Lost(2)), None]), "{told:?}");
    }

    struct Reader;

    impl Consumer for Reader {
        type Scope = ();
        type In = String;
        type Out = String;
        type Event = NoEvent;

        async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
            Ok(Self)
        }

        async fn receive(&mut self, _: String, _: &mut Connection<Self>) -> Result<(), Close> {
            Ok(())
        }
    }
}
