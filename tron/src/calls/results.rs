//! `Results`: takes what calls came to into the store. A result is settled when it is there.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use wire::broker::{self, CALLBACKS, Message, results_queue};
use wire::calls::Finished;
use wire::{Answer, Broker, Chain, MessageError, Store, Timestamp, decode_line, split_lines, store};

use super::intake::{Handled, Intake};

/// Results being written at a time: enough to hide the round trip to a distant store.
const PREFETCH: u16 = 64;

/// Takes what calls came to into the store.
#[derive(Clone)]
pub(super) struct Results {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) store: Store,
}

/// Why a result is not kept.
#[derive(Debug, thiserror::Error)]
enum Setback {
    #[error("read a result")]
    Message(#[from] MessageError),
    #[error("keep a result")]
    Store(#[from] store::Error),
    #[error("hand over a result to be posted")]
    Broker(#[from] broker::Error),
}

impl Results {
    /// Takes results until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let intake = Intake { broker: Arc::clone(&self.broker), queue: results_queue(), prefetch: PREFETCH };
        intake.run(|message| self.clone().handle(message), &stop).await;
    }

    async fn handle(self, message: Message) -> Handled {
        for line in split_lines(&message.payload) {
            if let Err(error) = self.keep(line).await {
                warn!(error = %Chain(&error), "result not kept");
                return error.into();
            }
        }
        Handled::Done
    }

    /// Keeps a result. To do that twice does no harm: whoever dies in between leaves it to another.
    async fn keep(&self, line: Bytes) -> Result<(), Setback> {
        let answer: Answer = decode_line(&line)?;
        let activation = answer.activation;
        let Some(accepted) = self.store.accepted_call(activation).await? else {
            debug!(request_id = %answer.id, %activation, "result dropped: nothing is known of its call, or nothing any more");
            return Ok(self.store.settle_pending(activation).await?);
        };
        self.store.finish_call(&Finished { at: Timestamp::now(), answer }).await?;
        tokio::try_join!(self.store.settle_cancel(activation), self.store.settle_pending(activation))?;
        if accepted.callback.is_some() {
            self.broker.publish(CALLBACKS, Message::new(line).persistent()).await?;
        }
        Ok(())
    }
}

impl From<Setback> for Handled {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Message(_) | Setback::Store(store::Error::BadRecord { .. }) => {
                Self::Never(Chain(&setback).to_string())
            }
            Setback::Store(_) | Setback::Broker(_) => Self::Later,
        }
    }
}
