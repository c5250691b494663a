//! A queue as RabbitMQ has it: messages wait until a consumer with room for one is found, in turn.

use std::collections::VecDeque;

/// A thread of a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Consumer {
    pub(crate) runner: u32,
    pub(crate) thread: u16,
}

/// One queue.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) messages: VecDeque<u32>,
    /// Consumers with room for more, in the order of their turns. Some may have left: they are passed over.
    pub(crate) consumers: VecDeque<Consumer>,
}
