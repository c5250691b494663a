//! `Intake`: takes the messages of a lasting queue, several at a time, and settles each when it is handled.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wire::broker::{self, Consumer, Delivery, Message, Queue};
use wire::{Backoff, Broker, Chain};

/// How long a message is kept that cannot be handled now: the broker would deliver it again at once, and
/// the two of us would be busy with nothing else.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the messages of a lasting queue.
pub(super) struct Intake {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) queue: Queue,
    /// How many are handled at a time.
    pub(super) prefetch: u16,
}

/// What became of a message.
pub(super) enum Handled {
    /// All that is to come of it is done.
    Done,
    /// It is to be tried again.
    Later,
    /// Nobody can do anything with it.
    Never(String),
}

impl Intake {
    /// Handles messages until `stop`. What is being handled then is waited for.
    pub(super) async fn run<H, F>(self, handle: H, stop: &CancellationToken)
    where
        H: Fn(Message) -> F,
        F: Future<Output = Handled> + Send + 'static,
    {
        let mut backoff = Backoff::new();
        while let Some(opened) = stop.run_until_cancelled(self.open()).await {
            match opened {
                Ok(consumer) => {
                    backoff.reset();
                    let settled =
                        |delivery: Delivery| settle(handle(delivery.message.clone()), delivery, stop.clone());
                    consumer.spawn_each(stop, settled).await;
                }
                Err(error) => {
                    warn!(queue = self.queue.name, error = %Chain(&error), "queue cannot be consumed");
                }
            }
            // Which of the two it was, the loop finds out.
            let _ = timeout(backoff.wait(), stop.cancelled()).await;
        }
    }

    async fn open(&self) -> Result<Consumer, broker::Error> {
        self.broker.declare(&self.queue).await?;
        self.broker.consume(&self.queue.name, self.prefetch).await
    }
}

async fn settle(handled: impl Future<Output = Handled>, delivery: Delivery, stop: CancellationToken) {
    match handled.await {
        Handled::Done => delivery.ack(),
        Handled::Never(reason) => delivery.dead_letter(&reason),
        Handled::Later => {
            // Either way it is given back.
            let _ = timeout(PAUSE, stop.cancelled()).await;
            delivery.retry();
        }
    }
}
