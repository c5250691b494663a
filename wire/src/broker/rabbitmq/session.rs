//! What is set up on each of the two connections, and what can be done over it.

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use lapin::Channel;
use lapin::options::QueueDeleteOptions;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::batch::Job;
use super::desk::Desk;
use super::line::{Line, refusal_code};
use super::seat::{Place, Seat};
use super::{delay, lane, topology};
use crate::Chain;
use crate::broker::{self, Depth, Error, Queue};

/// How many messages may wait for a connection that is busy; whoever brings more waits with them.
const JOBS_MAX: usize = 4_096;
/// How many consumers share a channel: few enough that one slow delivery among theirs seldom keeps the
/// acknowledgements of the others from being sent as one, many enough for thousands on one connection.
const SEATS_MAX: usize = 16;

/// The connection that publishes.
pub(super) struct Publishing {
    pub(super) line: Arc<Line>,
    transient: mpsc::Sender<Job>,
    /// Apart, so that nothing waits for the broker's disk that need not.
    persistent: mpsc::Sender<Job>,
}

impl Publishing {
    pub(super) fn open(line: Arc<Line>, tasks: TaskTracker) -> BoxFuture<'static, lapin::Result<Self>> {
        Box::pin(async move {
            let lane = || {
                let (jobs, queue) = mpsc::channel(JOBS_MAX);
                // However a lane ends, nobody can publish without it: the connection is made again then.
                let connection = line.lost().drop_guard();
                let lane = lane::run(line.clone(), queue);
                tasks.spawn(async move {
                    let _connection = connection;
                    lane.await;
                });
                jobs
            };
            Ok(Self { transient: lane(), persistent: lane(), line: line.clone() })
        })
    }

    /// Hands a job to the lane for it. An error gives nothing back: the job was not begun.
    pub(super) async fn hand_over(&self, job: Job) -> Result<(), Error> {
        if self.line.is_blocked() || !self.line.is_up() {
            return Err(Error::Unavailable);
        }
        let lane = if job.message.persistent { &self.persistent } else { &self.transient };
        lane.send(job).await.map_err(|_closed| Error::Unavailable)
    }
}

/// The connection that consumes, and that everything is declared on: what is private is its own.
pub(super) struct Consuming {
    pub(super) line: Arc<Line>,
    /// For what may close a channel.
    scratch: Mutex<Option<Channel>>,
    desks: Mutex<Vec<Arc<Desk>>>,
    /// Where the clerks are, whichever thread asked for a consumer.
    runtime: Handle,
    tasks: TaskTracker,
}

impl Consuming {
    pub(super) fn open(
        line: Arc<Line>,
        known: Vec<Queue>,
        tasks: TaskTracker,
    ) -> BoxFuture<'static, lapin::Result<Self>> {
        Box::pin(async move {
            ensure_exchanges(&line).await?;
            let (scratch, desks) = (Mutex::default(), Mutex::default());
            let session = Self { line, scratch, desks, runtime: Handle::current(), tasks };
            for queue in known {
                session.declare(&queue).await?;
            }
            Ok(session)
        })
    }

    /// Makes sure that the queue is there. One that looks different is left as it is, and so is one that we
    /// may use and not declare.
    pub(super) async fn declare(&self, queue: &Queue) -> lapin::Result<()> {
        let declared =
            self.on_scratch(|channel| async move { topology::declare_queue(&channel, queue).await });
        let Err(error) = declared.await else { return Ok(()) };
        if !matches!(refusal_code(&error), Some(403 | 406)) {
            return Err(error);
        }
        let checked =
            self.on_scratch(|channel| async move { topology::check_queue(&channel, &queue.name).await });
        if checked.await.is_err() {
            return Err(error);
        }
        match refusal_code(&error) {
            // It is for others to declare.
            Some(403) => debug!(queue = queue.name, error = %Chain(&error), "queue left as it is"),
            _ => warn!(queue = queue.name, error = %Chain(&error), "queue left as it is"),
        }
        Ok(())
    }

    /// Makes sure that a queue for messages that are held back is there.
    pub(super) async fn declare_delay(&self, queue: &str) -> lapin::Result<()> {
        self.on_scratch(|channel| async move { delay::declare(&channel, queue).await }).await
    }

    pub(super) async fn delete(&self, queue: &str) -> lapin::Result<()> {
        let options = QueueDeleteOptions::default();
        self.on_scratch(|channel| async move { channel.queue_delete(queue.into(), options).await })
            .await
            .map(drop)
    }

    pub(super) async fn depth(&self, queue: &str) -> lapin::Result<Depth> {
        let checked = self.on_scratch(|channel| async move { topology::check_queue(&channel, queue).await });
        let queue = checked.await?;
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Depth {
            ready: count(queue.message_count()),
            unsettled: None,
            consumers: count(queue.consumer_count()),
            held_back: 0,
        })
    }

    /// Starts to consume. The queue is asked for first, elsewhere: that it is missing would close the
    /// channel of everybody at the desk.
    pub(super) async fn consume(&self, place: Place, prefetch: u16) -> lapin::Result<Seat> {
        self.depth(&place.queue).await?;
        let desk = self.desk(place.no_ack).await?;
        let joined = desk.join(&place.queue, prefetch).await?;
        Ok(Seat::new(place, desk, joined))
    }

    /// Waits until the broker was told of everything that is settled.
    pub(super) async fn flush(&self) {
        let desks = self.desks.lock().await.clone();
        join_all(desks.iter().map(|desk| desk.flush())).await;
    }

    async fn desk(&self, no_ack: bool) -> lapin::Result<Arc<Desk>> {
        let mut desks = self.desks.lock().await;
        desks.retain(|desk| desk.is_open());
        if let Some(desk) = desks.iter().find(|desk| desk.takes(no_ack, SEATS_MAX)) {
            return Ok(desk.clone());
        }
        let (desk, clerk) = Desk::new(self.line.channel().await?, no_ack);
        let lost = self.line.lost();
        let clerk = async move { _ = lost.run_until_cancelled(clerk).await };
        self.tasks.spawn_on(clerk, &self.runtime);
        let desk = Arc::new(desk);
        desks.push(desk.clone());
        Ok(desk)
    }

    /// Does what the broker may refuse, by which it would close the channel: then the next one gets a new one.
    async fn on_scratch<T, W>(&self, work: impl FnOnce(Channel) -> W) -> lapin::Result<T>
    where
        W: Future<Output = lapin::Result<T>>,
    {
        let mut scratch = self.scratch.lock().await;
        let usable = scratch.take().filter(|channel| channel.status().connected());
        let channel = match usable {
            Some(channel) => channel,
            None => self.line.channel().await?,
        };
        let done = work(channel.clone()).await;
        if done.is_ok() {
            *scratch = Some(channel);
        }
        done
    }
}

/// Declares the exchanges, or finds them there.
pub(super) async fn ensure_exchanges(line: &Line) -> lapin::Result<()> {
    let declared = topology::declare_exchanges(&line.channel().await?).await;
    match declared {
        Err(error) if matches!(refusal_code(&error), Some(403 | 406)) => {
            topology::check_exchanges(&line.channel().await?).await
        }
        declared => declared,
    }
}

/// What a failure to do something with a queue means to whoever asked.
pub(super) fn queue_error(error: &lapin::Error, queue: &str) -> broker::Error {
    if refusal_code(error) == Some(404) {
        return Error::Unroutable(queue.to_owned());
    }
    warn!(queue, error = %Chain(error), "broker refused");
    Error::Unavailable
}
