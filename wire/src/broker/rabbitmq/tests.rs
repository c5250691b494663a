//! The contract on a real RabbitMQ, and what holds for it alone.

mod batching;
mod breaking;
mod node;
mod refusing;
mod tls;
mod users;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use crate::broker::contract::Vhost;
use crate::broker::{Broker, Consumer, Delivery, Error, Message, Queue};
use crate::broker_contract;

broker_contract!({
    let vhost = Vhost::make();
    (Arc::new(vhost.broker().await), vhost)
});

/// How long something may take that has to happen: the broker's own timeouts included.
const PATIENCE: Duration = Duration::from_secs(30);

fn queue(name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        len_max: 10_000,
        bytes_max: 1 << 20,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

fn message(text: impl Into<String>) -> Message {
    Message::new(Bytes::from(text.into()))
}

fn text(delivery: &Delivery) -> &str {
    std::str::from_utf8(&delivery.message.payload).unwrap()
}

async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(PATIENCE, consumer.next()).await.expect("a delivery in time").expect("a living queue")
}

/// Tries until it comes out as it has to.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        if let Some(outcome) = attempt().await {
            return outcome;
        }
        assert!(Instant::now() < give_up_at, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn publish_eventually(broker: &dyn Broker, queue: &str, text: &str) {
    eventually("publish again", || async { broker.publish(queue, message(text)).await.ok() }).await;
}

async fn consume_eventually(broker: &dyn Broker, queue: &Queue) -> Consumer {
    eventually("consume again", || async {
        broker.declare(queue).await.ok()?;
        broker.consume(&queue.name, 10).await.ok()
    })
    .await
}

fn unroutable(queue: &str) -> Result<(), Error> {
    Err(Error::Unroutable(queue.to_owned()))
}
