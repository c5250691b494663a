//! `Listener`: hears a topic without end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;
use tracing::warn;

use super::{Broker, Heard, Subscription, Topic};
use crate::Chain;

/// Long enough not to burden a broker that is coming back, short against what a missed message costs.
const PAUSE: Duration = Duration::from_millis(500);

/// Hears a topic without end: a subscription that cannot be had, or is lost, is asked for again.
pub struct Listener {
    broker: Arc<dyn Broker>,
    topic: Topic,
    state: State,
}

enum State {
    Open(Subscription),
    /// Kept between calls of [`Listener::next`]: whoever gives up on one would otherwise begin anew each time.
    Opening(BoxFuture<'static, Subscription>),
}

impl Listener {
    /// Listens from now on, or as soon as the broker lets us.
    pub async fn open(broker: Arc<dyn Broker>, topic: Topic) -> Self {
        let state = match broker.subscribe(topic).await {
            Ok(subscription) => State::Open(subscription),
            Err(error) => {
                warn!(topic = topic.as_str(), error = %Chain(&error), "topic cannot be heard yet");
                State::Opening(reopen(Arc::clone(&broker), topic))
            }
        };
        Self { broker, topic, state }
    }

    /// What comes next. Cancel-safe.
    pub async fn next(&mut self) -> Heard {
        loop {
            match &mut self.state {
                State::Opening(opening) => self.state = State::Open(opening.await),
                State::Open(subscription) => match subscription.next().await {
                    Some(heard) => return heard,
                    None => self.state = State::Opening(reopen(Arc::clone(&self.broker), self.topic)),
                },
            }
        }
    }
}

fn reopen(broker: Arc<dyn Broker>, topic: Topic) -> BoxFuture<'static, Subscription> {
    async move {
        loop {
            sleep(PAUSE).await;
            match broker.subscribe(topic).await {
                Ok(subscription) => return subscription,
                Err(error) => warn!(topic = topic.as_str(), error = %Chain(&error), "topic cannot be heard"),
            }
        }
    }
    .boxed()
}
