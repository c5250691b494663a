//! `Leadership`: which of the Trons that scale pools acts. The broker decides: it gives the token to one of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::broker::{self, Consumer, Delivery, LEADER, Message, leader_queue};
use wire::{Backoff, Broker, Chain};

/// How often there is a new token. Far below the half hour after which RabbitMQ takes one back that is held, and
/// as long as it takes at most until one that somebody threw away is made up for.
const TERM: Duration = Duration::from_secs(60);

/// How long a broker that says nothing is waited for at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Whether this Tron leads. Two may believe it for a moment, when the broker has given one up that does not know yet:
/// what a leader does must bear that.
pub(crate) struct Leadership {
    broker: Arc<dyn Broker>,
    leads: watch::Sender<bool>,
}

impl Leadership {
    /// Nobody leads yet; and where it is seen.
    pub(crate) fn new(broker: Arc<dyn Broker>) -> (Self, watch::Receiver<bool>) {
        let (leads, seen) = watch::channel(false);
        (Self { broker, leads }, seen)
    }

    /// Leads whenever it can, until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new();
        while !shutdown.is_cancelled() {
            let candidacy = self.stand(&shutdown).await;
            if self.leads.send_replace(false) {
                info!("leads no longer");
            }
            match candidacy {
                Ok(()) => backoff.reset(),
                Err(error) => warn!(error = %Chain(&error), "cannot ask to lead"),
            }
            let _stopped = timeout(backoff.wait(), shutdown.cancelled()).await;
        }
    }

    /// Waits for the token and keeps it, until the broker takes it back or `shutdown`.
    async fn stand(&self, shutdown: &CancellationToken) -> Result<(), broker::Error> {
        let joined = async {
            self.broker.declare(&leader_queue()).await?;
            self.broker.consume(LEADER, 1).await
        };
        let Some(consumer) = shutdown.run_until_cancelled(joined).await else { return Ok(()) };
        let mut consumer = consumer?;
        let outcome = shutdown.run_until_cancelled(self.keep(&mut consumer)).await;
        if outcome.is_none() {
            // Whoever looks then for others who may lead is not to find us.
            let _in_time = timeout(FAREWELL, consumer.stop()).await;
        }
        outcome.unwrap_or(Ok(()))
    }

    async fn keep(&self, consumer: &mut Consumer) -> Result<(), broker::Error> {
        let mut held: Option<Delivery> = None;
        loop {
            self.offer().await?;
            match timeout(TERM, consumer.next()).await {
                Ok(Some(token)) => {
                    held = Some(token);
                    if !self.leads.send_replace(true) {
                        info!("leads");
                    }
                }
                Ok(None) => return Ok(()),
                // We stay the one consumer that is given tokens, and the next lies there already.
                Err(_over) => held.take().into_iter().for_each(Delivery::ack),
            }
        }
    }

    /// Puts a token into the queue. If one lies there, another is not needed.
    async fn offer(&self) -> Result<(), broker::Error> {
        match self.broker.publish(LEADER, Message::new(Bytes::from_static(b"{}\n"))).await {
            Err(broker::Error::Full(_)) => Ok(()),
            offered => offered,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use wire::broker::Embedded;

    use super::*;

    type Candidate = (watch::Receiver<bool>, CancellationToken);

    fn stand(broker: &Arc<dyn Broker>, tasks: &mut JoinSet<()>) -> Candidate {
        let (leadership, leads) = Leadership::new(broker.clone());
        let stop = CancellationToken::new();
        tasks.spawn(leadership.run(stop.clone()));
        (leads, stop)
    }

    #[tokio::test(start_paused = true)]
    async fn one_leads_until_it_is_gone_and_then_another() {
        let (broker, mut tasks) = (Arc::new(Embedded::new()) as Arc<dyn Broker>, JoinSet::new());
        let (mut first, stop_first) = stand(&broker, &mut tasks);
        first.wait_for(|leads| *leads).await.unwrap();
        let (mut second, _stop_second) = stand(&broker, &mut tasks);
        tokio::time::advance(TERM * 5).await;
        assert!(*first.borrow() && !*second.borrow());
        stop_first.cancel();
        second.wait_for(|leads| *leads).await.unwrap();
        assert!(!*first.borrow());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_leads_knows_that_the_queue_went_away() {
        let (broker, mut tasks) = (Arc::new(Embedded::new()) as Arc<dyn Broker>, JoinSet::new());
        let (mut leads, _stop) = stand(&broker, &mut tasks);
        leads.wait_for(|leads| *leads).await.unwrap();
        broker.delete(LEADER).await.unwrap();
        leads.wait_for(|leads| !*leads).await.unwrap();
        leads.wait_for(|leads| *leads).await.unwrap();
    }
}
