//! `Effect`: what is to be done with a pool, and why.

use wire::PoolName;

/// What is to be done with a pool: the whole of what is wanted, so that doing it twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The pool.
    pub pool: PoolName,
    /// How many runners it is to have.
    pub runners: usize,
    /// Why that many, as a sentence: `3 runners: backlog 420, 12 ms each, target 0.7`.
    pub why: String,
    /// What an operator has to look at, if anything.
    pub alarm: Option<String>,
}
