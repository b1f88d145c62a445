//! Workers: on a layer with queues, on one without, and as a process.

mod process;
mod queues;
mod subscribed;

use std::fmt;
use std::sync::Arc;

use narrows::{Channel, Channels, Worker, WorkerError, WorkerReport};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Job {
    number: u32,
}

fn jobs() -> Channel<Job> {
    Channel::new("jobs").unwrap()
}

async fn send(channels: &Channels, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        channels.send(&jobs(), &Job { number }).await.unwrap();
    }
}

/// A worker whose handlers say what they begin, and wait until they may end.
struct Bench {
    begun: Mutex<mpsc::UnboundedReceiver<u32>>,
    gate: Arc<Semaphore>,
    end: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<WorkerReport, WorkerError>>,
}

#[derive(Debug)]
struct Unlucky;

impl fmt::Display for Unlucky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an unlucky number")
    }
}

impl std::error::Error for Unlucky {}

/// Adds a handler that lets each message through the gate; 13 fails, and 666 panics.
fn with_handler(worker: Worker, gate: &Arc<Semaphore>) -> (Worker, mpsc::UnboundedReceiver<u32>) {
    let (says, begun) = mpsc::unbounded_channel();
    let gate = gate.clone();
    let worker = worker.handle(jobs(), move |Job { number }| {
        says.send(number).unwrap();
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            assert_ne!(number, 666, "the number of a panic");
            if number == 13 { Err(Unlucky) } else { Ok(()) }
        }
    });
    (worker, begun)
}

impl Bench {
    /// A worker whose handlers wait for [`let_go`](Self::let_go).
    async fn held(worker: Worker) -> Self {
        Self::start(worker, 0).await
    }

    /// A worker whose handlers are done at once.
    async fn free(worker: Worker) -> Self {
        Self::start(worker, Semaphore::MAX_PERMITS / 2).await
    }

    async fn start(worker: Worker, permits: usize) -> Self {
        let gate = Arc::new(Semaphore::new(permits));
        let (worker, begun) = with_handler(worker, &gate);
        let (end, ended) = oneshot::channel::<()>();
        let running = tokio::spawn(worker.run_until(async { drop(ended.await) }));
        // These tests run on one thread: when this is back, the worker waits for messages.
        tokio::task::yield_now().await;
        Self { begun: Mutex::new(begun), gate, end: Some(end), running }
    }

    /// The next message that is begun.
    async fn begun(&self) -> u32 {
        self.begun.lock().await.recv().await.unwrap()
    }

    async fn begins(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            assert_eq!(self.begun().await, number);
        }
    }

    /// Lets so many handlers end.
    fn let_go(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// Tells it to end.
    async fn tell(&mut self) {
        drop(self.end.take());
        // As above: when this is back, it takes no more.
        tokio::task::yield_now().await;
    }

    async fn ended(self) -> WorkerReport {
        drop(self.end);
        self.running.await.unwrap().unwrap()
    }

    /// Drops it in the middle of its work.
    async fn dropped(self) {
        self.running.abort();
        assert!(self.running.await.unwrap_err().is_cancelled());
    }
}
