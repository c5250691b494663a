//! `Subscriber`: the task behind a subscription, which survives the connection.

use std::sync::Weak;

use futures_util::StreamExt;
use lapin::options::BasicConsumeOptions;
use lapin::types::FieldTable;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::line::rest;
use super::{Shared, topology};
use crate::Chain;
use crate::broker::{Heard, Topic};

/// Feeds one subscription.
pub(super) struct Subscriber {
    pub(super) shared: Weak<Shared>,
    pub(super) topic: Topic,
    pub(super) heard: broadcast::Sender<Heard>,
    pub(super) stop: CancellationToken,
}

impl Subscriber {
    /// Opens the subscription on the connection that there is.
    pub(super) async fn open(&self) -> lapin::Result<Option<lapin::Consumer>> {
        let Some(session) = self.shared.upgrade().and_then(|shared| shared.consuming()) else {
            return Ok(None);
        };
        let channel = session.line.channel().await?;
        let queue = format!("topic.{}.{}", self.topic.as_str(), Uuid::new_v4().simple());
        topology::declare_subscription(&channel, &queue, self.topic).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.map(Some)
    }

    /// Passes on what is heard, and opens the subscription again when it broke, until nobody listens.
    pub(super) async fn run(self, mut consumer: lapin::Consumer) {
        loop {
            tokio::select! {
            () = self.heard.closed() => return,
            () = self.stop.cancelled() => return,
            () = self.pass_on(&mut consumer) => {}
            }
            consumer = tokio::select! {
                () = self.heard.closed() => return,
                () = self.stop.cancelled() => return,
                consumer = self.reopen() => consumer,
            };
            // What was said in between, and how much it was, nobody knows.
            let _nobody = self.heard.send(Heard::Missed(1));
        }
    }

    async fn pass_on(&self, consumer: &mut lapin::Consumer) {
        while let Some(Ok(delivery)) = consumer.next().await {
            // It fails when nobody listens any more.
            let _nobody = self.heard.send(Heard::Payload(delivery.data.into()));
        }
    }

    async fn reopen(&self) -> lapin::Consumer {
        loop {
            rest().await;
            match self.open().await {
                Ok(Some(consumer)) => return consumer,
                Ok(None) => {}
                Err(error) => warn!(topic = self.topic.as_str(), error = %Chain(&error), "not subscribed"),
            }
        }
    }
}
