//! What an idle connection holds in its task. Growing it grows every connection: do it knowingly.

use narrows_core::Group;
use serde_json::Value;

use super::*;
use crate::consumer::NoEvent;
use crate::reject::Reject;

struct Small(Group<Value>);

impl Consumer for Small {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let group = Group::new("small")?;
        conn.join(&group).await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.broadcast(&self.0, &message).await?)
    }
}

fn size_of_session<F>(_: impl Fn(Box<Handshake<Small>>) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn the_size_of_an_idle_connections_task_is_known() {
    assert!(size_of_session(run::<Small>) <= 576, "{}", size_of_session(run::<Small>));
    assert!(size_of::<Connection<Small>>() <= 152, "{}", size_of::<Connection<Small>>());
    assert!(size_of::<Link>() <= 40, "{}", size_of::<Link>());
}

/// A consumer whose handler holds a lot while it waits.
struct Large;

impl Consumer for Large {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), _conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, _message: Value, _conn: &mut Connection<Self>) -> Result<(), Close> {
        let held = [1u8; 8192];
        tokio::task::yield_now().await;
        std::hint::black_box(&held);
        Ok(())
    }
}

#[test]
fn what_a_handler_holds_while_it_works_costs_an_idle_connection_nothing() {
    fn size_of_large<F>(_: impl Fn(Box<Handshake<Large>>) -> F) -> usize {
        size_of::<F>()
    }
    assert!(size_of_large(run::<Large>) <= size_of_session(run::<Small>));
}
