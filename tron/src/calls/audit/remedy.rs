//! `Remedy`: performs what was decided about a promised call that has not ended.

use std::sync::Arc;

use tracing::{info, warn};
use wire::broker::{self, DEAD_REQUESTS, GivenUp, Message, REQUESTS, RESULTS, dead_letters_of, dead_queue};
use wire::calls::Claim;
use wire::store::RecordKind;
use wire::{
    Answer, Broker, Chain, Component, Invoke, MemberId, MessageError, Problem, ProblemKind, Store, Timestamp,
    encode_line, store,
};

use super::decision::{Decision, Why};

/// How a call was lost, as far as anybody knows.
const NO_ANSWER: &str = "nobody answered, and it was not seen";

/// What it takes to settle a call that has not ended.
pub(super) struct Remedy {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) store: Store,
    pub(super) member: MemberId,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Setback {
    #[error("read or write what is kept of the call")]
    Store(#[from] store::Error),
    #[error("hand the call over")]
    Broker(#[from] broker::Error),
    #[error("tell the caller of a call that is given up")]
    Answer(#[source] broker::Error),
    #[error("write the call as a message")]
    Message(#[from] MessageError),
}

impl Remedy {
    /// Performs what was decided, unless another Tron does, or the call has ended meanwhile. Whoever dies over it
    /// leaves its claim, and the call is looked at again when that is old.
    pub(super) async fn apply(
        &self,
        invoke: Invoke,
        queue: Option<&str>,
        claim: u32,
        decision: Decision,
        now: Timestamp,
    ) -> Result<(), Setback> {
        let (activation, request_id, number) = (invoke.activation, invoke.id.clone(), claim);
        if self.has_ended(&invoke).await? {
            return Ok(self.store.settle_pending(activation).await?);
        }
        let claim = Claim { number, at: now, by: self.member.clone() };
        if !self.store.claim_call(activation, &claim).await? {
            return Ok(());
        }
        let Err(error) = self.perform(invoke, queue, decision).await else { return Ok(()) };
        if !error.has_effect()
            && let Err(error) = self.store.release_claim(activation, number).await
        {
            warn!(%request_id, %activation, error = %Chain(&error), "claim not released");
        }
        Err(error)
    }

    /// Whether there is nothing to do: it has a result that came after it was begun, or was never promised.
    async fn has_ended(&self, invoke: &Invoke) -> Result<bool, Setback> {
        let (accepted, pending, finished) = tokio::try_join!(
            self.store.call_record(RecordKind::Accepted, invoke.activation),
            self.store.call_record(RecordKind::Pending, invoke.activation),
            self.store.finished_call(invoke.activation),
        )?;
        let is_finished = finished.is_some_and(|finished| finished.at >= invoke.at);
        Ok(accepted.is_none() || pending.is_none() || is_finished)
    }

    async fn perform(&self, invoke: Invoke, queue: Option<&str>, decision: Decision) -> Result<(), Setback> {
        match decision {
            Decision::Leave => Ok(()),
            Decision::BeginAgain { attempt } => self.begin_again(Invoke { attempt, ..invoke }).await,
            Decision::GiveUp(why) => self.give_up(invoke, queue, why).await,
        }
    }

    /// Puts the call into the firehose as one that may have been begun: whoever gets it runs it if that does no harm.
    async fn begin_again(&self, invoke: Invoke) -> Result<(), Setback> {
        self.broker.publish(REQUESTS, Message::new(encode_line(&invoke)?).persistent()).await?;
        let Invoke { activation, id, attempt, .. } = invoke;
        warn!(%activation, request_id = %id, attempt, "promised call was nowhere, begun again");
        Ok(())
    }

    /// Keeps the call for an operator, then tells its caller.
    async fn give_up(&self, invoke: Invoke, queue: Option<&str>, why: Why) -> Result<(), Setback> {
        let letters = queue.map_or_else(|| DEAD_REQUESTS.to_owned(), dead_letters_of);
        let reason = GivenUp::now(why.to_string()).after(invoke.attempt, NO_ANSWER);
        self.broker.declare(&dead_queue(&letters)).await?;
        self.broker.publish(&letters, Message::dead(encode_line(&invoke)?, &reason)).await?;
        let kind = match why {
            Why::Lost => ProblemKind::OutcomeUnknown,
            Why::Overdue => ProblemKind::DeadlineExceeded,
        };
        let Invoke { activation, attempt, id, .. } = invoke;
        info!(%activation, request_id = %id, queue = letters, reason = %why, "promised call given up");
        let problem = Problem::new(kind, why.to_string(), id, Component::Tron);
        let answer = encode_line(&Answer::problem(activation, attempt, problem))?;
        self.broker.publish(RESULTS, Message::new(answer).persistent()).await.map_err(Setback::Answer)
    }
}

impl Setback {
    /// Whether something may have come of it nevertheless: it counts then, and is not tried again at once.
    fn has_effect(&self) -> bool {
        matches!(self, Self::Answer(_) | Self::Broker(broker::Error::Unknown(_)))
    }
}
