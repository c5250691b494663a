//! What is declared on RabbitMQ: exchanges by family, and the arguments of queues.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ExchangeKind};

use super::delay::DELAYS_EXCHANGE;
use crate::broker::{Queue, REQUESTS, Topic};

/// Where each family of queues is published to. Never the default exchange: who may write to that may write
/// to every queue.
const FAMILIES: [&str; 6] =
    [REQUESTS_EXCHANGE, CALLS_EXCHANGE, REPLIES_EXCHANGE, DEAD_EXCHANGE, CAPTURE_EXCHANGE, DELAYS_EXCHANGE];

const REQUESTS_EXCHANGE: &str = "funcatron.requests";
const CALLS_EXCHANGE: &str = "funcatron.calls";
const REPLIES_EXCHANGE: &str = "funcatron.replies";
const DEAD_EXCHANGE: &str = "funcatron.dead";
const CAPTURE_EXCHANGE: &str = "funcatron.capture";

const TOPICS: [Topic; 3] = [Topic::Control, Topic::Heartbeats, Topic::Activations];

/// How many payloads wait for a subscriber whose connection is slow, before the oldest go.
const SUBSCRIPTION_LEN_MAX: i64 = 1024;

/// The exchange that a queue is bound to, by its own name.
pub(super) fn exchange_of(queue: &str) -> &'static str {
    match queue.split('.').next() {
        Some(REQUESTS) => REQUESTS_EXCHANGE,
        Some("reply" | "results" | "callbacks") => REPLIES_EXCHANGE,
        Some("dead") => DEAD_EXCHANGE,
        Some("capture") => CAPTURE_EXCHANGE,
        _ => CALLS_EXCHANGE,
    }
}

/// Declares every exchange. They are topic exchanges, since only those let a user's right to publish be
/// narrowed to some queues.
pub(super) async fn declare_exchanges(channel: &Channel) -> lapin::Result<()> {
    exchanges(channel, ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() }).await
}

/// Makes sure that the exchanges are there, for a user who may not declare any.
pub(super) async fn check_exchanges(channel: &Channel) -> lapin::Result<()> {
    exchanges(channel, ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() }).await
}

async fn exchanges(channel: &Channel, options: ExchangeDeclareOptions) -> lapin::Result<()> {
    for exchange in FAMILIES.into_iter().chain(TOPICS.map(Topic::as_str)) {
        channel
            .exchange_declare(exchange.into(), ExchangeKind::Topic, options, FieldTable::default())
            .await?;
    }
    Ok(())
}

/// Declares a queue and binds it by its name.
pub(super) async fn declare_queue(channel: &Channel, queue: &Queue) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        durable: !queue.private,
        exclusive: queue.private,
        auto_delete: queue.private,
        ..QueueDeclareOptions::default()
    };
    channel.queue_declare(queue.name.as_str().into(), options, arguments(queue)).await?;
    bind(channel, &queue.name, exchange_of(&queue.name), &queue.name).await
}

/// Asks for a queue: how much is ready, and how many consume it.
pub(super) async fn check_queue(channel: &Channel, queue: &str) -> lapin::Result<lapin::Queue> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await
}

/// Declares the queue of one subscriber and binds it to the topic.
pub(super) async fn declare_subscription(channel: &Channel, name: &str, topic: Topic) -> lapin::Result<()> {
    let options =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(SUBSCRIPTION_LEN_MAX));
    channel.queue_declare(name.into(), options, arguments).await?;
    bind(channel, name, topic.as_str(), "#").await
}

pub(super) async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
}

/// The bounds: a full queue refuses, so that a publisher hears of it now. No dead-letter exchange: RabbitMQ
/// would send there what merely expired, and could not say why.
fn arguments(queue: &Queue) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), number(queue.len_max));
    arguments.insert("x-max-length-bytes".into(), number(queue.bytes_max));
    arguments.insert("x-overflow".into(), AMQPValue::LongString(LongString::from("reject-publish")));
    if queue.single_active {
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    }
    arguments
}

fn number(value: usize) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{DEAD_REQUESTS, requests_queue};

    #[test]
    fn queues_are_published_to_by_family() {
        let exchanges =
            [&*requests_queue().name, "func.r.00000000", "retries", "reply.a", "results", DEAD_REQUESTS]
                .map(exchange_of);
        let expected = [
            REQUESTS_EXCHANGE,
            CALLS_EXCHANGE,
            CALLS_EXCHANGE,
            REPLIES_EXCHANGE,
            REPLIES_EXCHANGE,
            DEAD_EXCHANGE,
        ];
        assert_eq!(exchanges, expected);
    }
}
