//! A shard without a kernel or a runtime, for the benches of its own cost.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{Message, PayloadFormat};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::slot::SlotKey;
use super::socket::Socket;
use super::state::{Ready, State};
use crate::capacity::{Capacity, Overflow};
use crate::codec::Codec;
use crate::consumer::Consumer;
use crate::hub::{Delivery, Relay};
use crate::limits::Limits;
use crate::origin::OriginPolicy;
use crate::stats::Counters;
use crate::sync::Arc;
use crate::transport::RouteSettings;

const TOPIC: u64 = 1;

/// One shard with the members of one group; their sockets take everything, or nothing.
pub struct BenchShard {
    state: RefCell<State>,
    counters: Arc<Counters>,
    members: Vec<SlotKey>,
    full: Arc<AtomicBool>,
}

impl BenchShard {
    /// A shard with so many members, that want `M` as messages of `C`.
    pub fn new<C: Consumer, M: Message>(members: usize, overflow: Overflow) -> Self
    where
        C::Out: From<M>,
    {
        let counters = Arc::new(Counters::default());
        let settings = Arc::new(RouteSettings {
            name: "bench",
            limits: Limits::default(),
            outbox: Capacity::default().overflow(overflow),
            inbox: Capacity::default(),
            codec: Codec::Json,
            subprotocols: Vec::new(),
            origin: OriginPolicy::any(),
            number: 0,
            checks: Arc::default(),
        });
        let full = Arc::new(AtomicBool::new(false));
        let mut state = State::new(Duration::from_secs(1), counters.clone(), Arc::default());
        let members = (0..members)
            .map(|_| {
                let key = state.insert(settings.clone());
                state.attach(key, Socket::Other(Box::new(Sink(full.clone()))));
                assert!(state.join(key, TOPIC, Some(Relay::of::<C, M>(Codec::Json, false))));
                key
            })
            .collect();
        let shard = Self { state: RefCell::new(state), counters, members, full };
        shard.drain();
        shard
    }

    /// Brings one message to every member, as the shard does with what the channel layer hands it.
    pub fn deliver(&self, payload: &Bytes, format: PayloadFormat) {
        let delivery = Arc::new(Delivery::new(TOPIC, payload.clone(), format));
        super::deliver(&self.state, &delivery, None, &self.counters);
    }

    /// Ends the tick: one write for each member.
    pub fn end_tick(&self) {
        self.state.borrow_mut().flush();
    }

    /// From here on the sockets take nothing; or everything again.
    pub fn fill(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// Polls every session once, as its waker would: outboxes are written.
    pub fn drain(&self) {
        let mut cx = Context::from_waker(Waker::noop());
        for key in &self.members {
            let polled = self.state.borrow_mut().poll(*key, &mut cx);
            assert!(!matches!(polled, Poll::Ready(Ready::End(_) | Ready::Eof)), "a member was lost");
        }
    }
}

/// A client that says nothing.
struct Sink(Arc<AtomicBool>);

impl AsyncRead for Sink {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Sink {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.0.load(Ordering::Relaxed) { Poll::Pending } else { Poll::Ready(Ok(bytes.len())) }
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.0.load(Ordering::Relaxed) {
            Poll::Pending
        } else {
            Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
        }
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
