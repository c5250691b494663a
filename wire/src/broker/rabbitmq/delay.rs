//! Delays: queues that nobody consumes, where messages for the firehose wait until their time to live is over.

use std::iter;
use std::time::Duration;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString};

use super::topology;
use crate::broker::{DELAY_MAX, REQUESTS};

/// Where messages are published to that are held back.
pub(super) const DELAYS_EXCHANGE: &str = "funcatron.delays";

/// As many as the firehose holds itself.
const LEN_MAX: i64 = 16_384;

/// The queue for messages that are held back for this long. RabbitMQ looks at the first message of a queue
/// only, so what is behind a longer delay waits for that: with a queue for each power of two of seconds, a
/// delay is never less than was asked for, and never more than about twice as long.
pub(super) fn queue_of(delay: Duration) -> String {
    let seconds = delay.min(DELAY_MAX).as_millis().div_ceil(1_000).max(1);
    name(seconds.next_power_of_two())
}

/// All the queues that messages may be held back in, whether they were needed yet or not.
pub(super) fn queues() -> impl Iterator<Item = String> {
    let longest = u128::from(DELAY_MAX.as_secs()).next_power_of_two();
    iter::successors(Some(1), move |seconds| (*seconds < longest).then_some(seconds * 2)).map(name)
}

fn name(seconds: u128) -> String {
    format!("delay.{seconds}")
}

/// Declares such a queue. It is replicated where the broker is, and lets go of a message only when the
/// firehose has it.
pub(super) async fn declare(channel: &Channel, queue: &str) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    for (name, value) in [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", topology::exchange_of(REQUESTS)),
        ("x-dead-letter-routing-key", REQUESTS),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(LongString::from(value)));
    }
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(LEN_MAX));
    channel.queue_declare(queue.into(), options, arguments).await?;
    topology::bind(channel, queue, DELAYS_EXCHANGE, queue).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_waits_among_its_like() {
        let queue = |millis| queue_of(Duration::from_millis(millis));
        assert_eq!(
            [0, 1, 1_000, 1_001, 4_000].map(queue),
            ["delay.1", "delay.1", "delay.1", "delay.2", "delay.4"]
        );
        assert_eq!(queue(u64::MAX), "delay.4096");
        let all: Vec<String> = queues().collect();
        assert!(all.len() == 13 && [0, 1_001, u64::MAX].iter().all(|millis| all.contains(&queue(*millis))));
    }
}
