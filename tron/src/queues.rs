//! `Queues`: the queues of Funcs on the broker: made, looked at and removed.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;
use wire::broker::{self, Depth, func_queue, requests_queue, retries_queue};
use wire::{Broker, FuncAssignment};

/// Questions to the broker under way at a time: a thousand Funcs are looked at in a moment, and nobody
/// else waits behind them for long.
const CONCURRENT_MAX: usize = 32;

/// The queues of Funcs.
pub(crate) struct Queues {
    pub(crate) broker: Arc<dyn Broker>,
}

impl Queues {
    /// Makes sure that there are the queues that all Funcs share, and that nobody makes again who uses them.
    pub(crate) async fn declare_shared(&self) -> Result<(), broker::Error> {
        self.broker.declare(&requests_queue()).await?;
        self.broker.declare(&retries_queue()).await
    }

    /// Makes sure that these Funcs have their queues; those for their dead letters come with them.
    pub(crate) async fn declare(&self, funcs: Vec<FuncAssignment>) -> Result<(), broker::Error> {
        stream::iter(funcs)
            .map(|func| async move { self.broker.declare(&func_queue(&func.queue, &func.route)).await })
            .buffer_unordered(CONCURRENT_MAX)
            .try_collect()
            .await
    }

    /// What these queues hold; `None` for one that is not there.
    pub(crate) async fn depths(
        &self,
        queues: Vec<String>,
    ) -> Result<Vec<(String, Option<Depth>)>, broker::Error> {
        stream::iter(queues)
            .map(|queue| async move {
                let depth = self.depth(&queue).await?;
                Ok((queue, depth))
            })
            .buffer_unordered(CONCURRENT_MAX)
            .try_collect()
            .await
    }

    /// What this queue holds; `None` when it is not there.
    pub(crate) async fn depth(&self, queue: &str) -> Result<Option<Depth>, broker::Error> {
        match self.broker.depth(queue).await {
            Ok(depth) => Ok(Some(depth)),
            Err(broker::Error::Unroutable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a queue that nobody needs.
    pub(crate) async fn delete(&self, queue: &str) -> Result<(), broker::Error> {
        self.broker.delete(queue).await?;
        info!(queue, "drained");
        Ok(())
    }
}
