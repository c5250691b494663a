//! `Embedded`: the broker inside a single process.

/// Queues and topics in memory, for one process that is everything: nothing outlives it.
#[derive(Clone, Default)]
pub struct Embedded {}

impl Embedded {
    /// A broker with no queues.
    pub fn new() -> Self {
        Self::default()
    }
}
