//! `Stats`: what is known of a cluster at one moment, as the policy needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::PoolName;

/// What is known of a cluster at one moment.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Every Func that has a queue.
    pub funcs: Vec<FuncSample>,
    /// Every runner that has reported lately. One that is silent is not among them.
    pub runners: Vec<RunnerSample>,
    /// What the substrate says of each pool; a pool that is not here it says nothing of.
    pub listings: BTreeMap<PoolName, Listing>,
}

/// A Func's queue, as the broker sees it.
#[derive(Clone, Debug)]
pub struct FuncSample {
    /// Names it.
    pub queue: String,
    /// The pool that grows for it ([`crate::home`]); none when no pool may run it.
    pub home: Option<PoolName>,
    /// Messages that wait in it. Only the broker's word is taken for that.
    pub backlog: u64,
}

/// What a runner says of the time since its report before.
#[derive(Clone, Debug, Default)]
pub struct RunnerSample {
    /// The pool that it was started for; none when somebody started it by hand.
    pub pool: Option<PoolName>,
    /// Calls that may run at once on all its threads.
    pub slots: usize,
    /// Threads that run Funcs.
    pub threads: usize,
    /// Whether it takes calls: not while it starts, nor when it leaves.
    pub ready: bool,
    /// Slots that were held, on average.
    pub busy: f64,
    /// Processors that were used, on average.
    pub cpu: f64,
    /// Calls that it was given and that wait for room in it, now.
    pub waiting: u64,
    /// What calls took, by queue, over the last seconds.
    pub services: BTreeMap<String, ServiceSample>,
}

/// What the calls of one Func took in one runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceSample {
    /// Calls.
    pub calls: u64,
    /// Messages that they came in.
    pub deliveries: u64,
    /// How long one of them held its slot, on average.
    pub service: Duration,
    /// How long one of them computed, on average.
    pub cpu: Duration,
}

/// What the substrate says of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// It answered.
    Known {
        /// Runners that are to stay, those that start included.
        current: usize,
        /// Runners that were told to leave and have not left.
        leaving: usize,
        /// Runners that ended by themselves, again and again.
        failed: usize,
    },
    /// It did not answer.
    #[default]
    Unknown,
}
