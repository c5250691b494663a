//! `Lane`: the one task that publishes on a channel, so that what waits while it is busy travels together.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout};
use tracing::warn;

use super::batch::{Job, pack};
use super::cohort::Cohort;
use super::line::{Line, rest};
use super::session::ensure_exchanges;
use crate::Chain;
use crate::broker::Error;

/// How many cohorts may be on their way at once. With two, one is written while the broker confirms the
/// other; more would only make them smaller.
const COHORTS_MAX: usize = 2;
/// How many messages one cohort may take up; what is more waits for the next.
const JOBS_MAX: usize = 1024;
/// How long the broker may take to confirm. A lost message is nobody's by then: its connection is sick.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// Publishes what arrives at `jobs` for as long as the line is up. What is not taken by then was never sent.
pub(super) async fn run(line: Arc<Line>, mut jobs: mpsc::Receiver<Job>) {
    let lost = line.lost();
    while line.is_up() {
        match open(&line).await {
            Ok(channel) => {
                let lane = Lane::new(Arc::new(channel), &line);
                tokio::select! {
                    () = lost.cancelled() => return,
                    () = lane.publish(&mut jobs, &line) => {}
                }
            }
            Err(error) => {
                warn!(error = %Chain(&error), "no channel to publish on");
                rest().await;
            }
        }
    }
}

async fn open(line: &Line) -> lapin::Result<Channel> {
    // Whoever closed the last one may have deleted them.
    ensure_exchanges(line).await?;
    let channel = line.channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

struct Lane {
    channel: Arc<Channel>,
    blocked: watch::Receiver<bool>,
    /// In the order in which they were sent.
    cohorts: VecDeque<Cohort>,
    /// Messages that nobody was bound for, of these cohorts.
    returned: HashSet<u64>,
    next_id: u64,
}

/// What a lane wakes up for.
enum Event {
    Landed,
    Jobs(usize),
    Blocked,
    Late,
}

impl Lane {
    fn new(channel: Arc<Channel>, line: &Line) -> Self {
        let (cohorts, returned) = (VecDeque::new(), HashSet::new());
        Self { channel, blocked: line.blocked(), cohorts, returned, next_id: 1 }
    }

    /// Publishes until the channel breaks or nobody is left to publish.
    async fn publish(mut self, jobs: &mut mpsc::Receiver<Job>, line: &Line) {
        let mut waiting = Vec::new();
        loop {
            match self.next(jobs, &mut waiting).await {
                Event::Landed if self.settle().await => {}
                Event::Landed | Event::Jobs(0) => return,
                Event::Jobs(_) if *self.blocked.borrow() => refuse(&mut waiting),
                Event::Jobs(_) => {
                    more(jobs, &mut waiting).await;
                    self.send(&mut waiting);
                }
                // What waits is for the loop to take, in its next turn.
                Event::Blocked => {}
                Event::Late => {
                    self.cohorts.iter_mut().for_each(Cohort::disown);
                    if !*self.blocked.borrow() {
                        warn!("broker does not confirm: connection given up");
                        return line.give_up();
                    }
                }
            }
        }
    }

    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) -> Event {
        let Self { blocked, cohorts, returned, .. } = self;
        let has_room = cohorts.len() < COHORTS_MAX || *blocked.borrow();
        let late = cohorts.front().map(|cohort| cohort.sent_at + CONFIRM_TIMEOUT);
        tokio::select! {
            biased;
            () = landed(cohorts, returned) => Event::Landed,
            count = jobs.recv_many(waiting, JOBS_MAX), if has_room => Event::Jobs(count),
            Ok(()) = blocked.changed() => Event::Blocked,
            () = sleep_until(late.unwrap_or_else(tokio::time::Instant::now)), if late.is_some() => Event::Late,
        }
    }

    fn send(&mut self, waiting: &mut Vec<Job>) {
        let parcels = pack(waiting.drain(..));
        let id = self.next_id;
        self.next_id += parcels.len() as u64;
        self.cohorts.push_back(Cohort::send(&self.channel, parcels, id));
    }

    /// Settles the first cohort, whose every parcel has landed. `false` when the channel is of no more use.
    ///
    /// Which message was returned is certain only when nothing is on its way: the client hands a return to
    /// whichever confirmation comes first, and that one may be in the next cohort. So long as there are no
    /// returns, and there hardly ever are, nobody waits for anything.
    async fn settle(&mut self) -> bool {
        let Some(first) = self.cohorts.pop_front() else { return true };
        self.cohorts.iter_mut().for_each(|cohort| cohort.look(&mut self.returned));
        let broken = first.is_broken();
        if self.returned.is_empty() && !broken {
            first.settle(&self.returned, false);
            return true;
        }
        self.cohorts.push_front(first);
        let Self { cohorts, returned, .. } = self;
        let all_landed = async {
            for cohort in cohorts.iter_mut() {
                poll_fn(|context| cohort.poll_landed(context, returned)).await;
            }
        };
        if timeout(CONFIRM_TIMEOUT, all_landed).await.is_err() {
            return false;
        }
        let broken = cohorts.iter().any(Cohort::is_broken);
        let alone = cohorts.len() == 1;
        cohorts.drain(..).for_each(|cohort| cohort.settle(returned, alone));
        returned.clear();
        !broken
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.cohorts.iter_mut().for_each(Cohort::disown);
    }
}

async fn landed(cohorts: &mut VecDeque<Cohort>, returned: &mut HashSet<u64>) {
    match cohorts.front_mut() {
        Some(cohort) => poll_fn(|context| cohort.poll_landed(context, returned)).await,
        None => std::future::pending().await,
    }
}

/// Takes up what the same turn of the event loop brings as well. Whoever hands over one message is seldom alone:
/// a loop that reads many sockets wakes us at the first, and a turn costs less than a message of its own.
async fn more(jobs: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) {
    yield_now().await;
    let _more = jobs.recv_many(waiting, JOBS_MAX.saturating_sub(waiting.len())).now_or_never();
}

fn refuse(waiting: &mut Vec<Job>) {
    for job in waiting.drain(..) {
        // Whoever gave up waiting needs no answer.
        let _gone = job.done.send(Err(Error::Unavailable));
    }
}
