//! `Substrate`: what can start and stop runners, whatever it is.

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use wire::PoolName;

use crate::{Error, Template};

/// Where runners run. It is told what should be, not what to do: every call compares that with what there is, so
/// that it can be made again, by somebody else, or by two at once.
///
/// A call takes a bounded time, and says then what it could not do. What it began before that holds.
#[async_trait]
pub trait Substrate: fmt::Debug + Send + Sync + 'static {
    /// Every runner of this cluster that there is, whoever started it, those of pools that nobody knows included.
    /// The templates say which of them are current.
    async fn instances(&self, templates: &[Template]) -> Result<Vec<Instance>, Error>;

    /// Brings a pool to `count` current runners: starts what is missing, tells the rest to leave.
    ///
    /// Runners made from another template are replaced: those that are current are started beside them, some at a
    /// time, and one leaves for each current one that is among `ready`, the names of instances that serve.
    /// Returns when that is begun. Whoever leaves is told again by each call, and ended when its time to drain is
    /// long over; so it is called every few seconds, whether or not something changed.
    async fn scale(&self, template: &Template, count: usize, ready: &BTreeSet<String>) -> Result<(), Error>;

    /// Tells the runners of all pools but these to leave.
    async fn retire(&self, pools_kept: &[PoolName]) -> Result<(), Error>;

    /// Told by a Tron that stops in order, not to be replaced at once by another one: what nobody would look after
    /// leaves, and this waits until it has. Containers stay, for the next Tron. Cancel-safe.
    async fn leave_all(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A runner of a pool, or what is left of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name, another one for each that was ever started: what it gives in its heartbeats.
    pub name: String,
    /// The pool that it is of.
    pub pool: String,
    /// What it does.
    pub state: InstanceState,
    /// Whether it was made from its pool's template as it is now.
    pub is_current: bool,
}

/// What an instance does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It runs, or is about to. Whether it serves, its heartbeats tell.
    Running,
    /// It was told to leave, and finishes what it has.
    Leaving,
    /// It has ended as soon as it was started, several times in a row. It is started again, after pauses that grow.
    Failed {
        /// What there is to know: the exit code and its last words, or why it could not be started.
        reason: String,
    },
}
