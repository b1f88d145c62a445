use super::*;

const OWNER: u64 = 1;

fn id(connection: u128) -> Id {
    Id { connection, group: "lobby".into() }
}

fn failed() -> Done {
    Done::Failed(Arc::new(LayerError::Closed))
}

impl Table {
    fn tracks(&mut self, id: &Id, meta: &str) {
        let (asks, _) = oneshot::channel();
        assert_eq!(self.set(id, OWNER, "ada".into(), meta.into(), asks), Some(true));
        assert!(self.next_call(id, Instant::now()).is_some());
    }
}

#[test]
fn no_leave_is_forgotten_however_many_the_store_does_not_take() {
    let (mut table, count) = (Table::default(), Table::MAX_FAILED + 1);
    for n in 0..count {
        let id = id(n as u128);
        table.tracks(&id, "1");
        table.note(&id, Done::Yes);
        assert_eq!(table.release(&id, OWNER, Absence::Left, Instant::now()), Some(true));
        assert!(matches!(table.next_call(&id, Instant::now()), Some(Call::Untrack(_))));
        assert!(!table.note(&id, failed()));
    }
    assert!(table.has_failed());
    let again = table.take_failed();
    assert_eq!(again.len(), count);
    assert!(!table.has_failed() && table.take_failed().is_empty());
    for id in again {
        assert!(matches!(table.next_call(&id, Instant::now()), Some(Call::Untrack(_))));
        table.note(&id, Done::Yes);
    }
    assert!(table.is_idle());
}

#[test]
fn an_update_that_fails_while_all_is_told_again_changes_nothing() {
    let (mut table, id) = (Table::default(), id(1));
    table.tracks(&id, "1");
    table.note(&id, Done::Yes);
    table.forgotten = true;
    assert_eq!(table.take_failed(), std::slice::from_ref(&id));
    let (asks, _) = oneshot::channel();
    assert_eq!(table.set(&id, OWNER, "ada".into(), "2".into(), asks), Some(false));
    assert!(matches!(table.next_call(&id, Instant::now()), Some(Call::Retrack(entry)) if entry.meta == 2));
    table.note(&id, failed());
    assert_eq!(table.take_failed(), std::slice::from_ref(&id));
    assert!(matches!(table.next_call(&id, Instant::now()), Some(Call::Retrack(entry)) if entry.meta == 1));
}
