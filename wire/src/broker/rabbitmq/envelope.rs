//! How a message looks to RabbitMQ: its properties, there and back.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, LongString};

use crate::Timestamp;
use crate::broker::Message;

/// The header that says why a message was given up.
const REASON: &str = "funcatron-reason";

/// The longest time that RabbitMQ takes, in milliseconds; for more it would close the channel.
const EXPIRATION_MAX: u128 = u32::MAX as u128;

/// Kept on disk, in the protocol's numbers.
const PERSISTENT: u8 = 2;

/// The properties of a message that is sent now. The expiry is there twice: in milliseconds from now, as
/// RabbitMQ wants it, and as the moment that it is, which is what whoever receives the message needs.
pub(super) fn properties(message: &Message, id: u64) -> BasicProperties {
    let mut properties = BasicProperties::default().with_message_id(id.to_string().into());
    if message.persistent {
        properties = properties.with_delivery_mode(PERSISTENT);
    }
    if let Some(at) = message.expires_at {
        properties = properties.with_timestamp(at.0);
    }
    // What is held back expires where it waits, and RabbitMQ forgets that when it has moved it on.
    let left = message.delay.or_else(|| message.expires_at.map(|at| at.remaining(Timestamp::now())));
    if let Some(left) = left {
        properties = properties.with_expiration(left.as_millis().min(EXPIRATION_MAX).to_string().into());
    }
    if let Some(reason) = &message.dead_reason {
        let mut headers = FieldTable::default();
        headers.insert(REASON.into(), AMQPValue::LongString(LongString::from(reason.as_str())));
        properties = properties.with_headers(headers);
    }
    properties
}

/// The message that was delivered. Whether it could have travelled with others is of no more interest.
pub(super) fn message(delivery: Delivery) -> Message {
    let properties = &delivery.properties;
    let dead_reason = properties.headers().as_ref().and_then(reason);
    Message {
        expires_at: properties.timestamp().map(Timestamp),
        dead_reason,
        persistent: *properties.delivery_mode() == Some(PERSISTENT),
        payload: delivery.data.into(),
        joinable: false,
        delay: None,
    }
}

/// The number that [`properties`] gave to the message.
pub(super) fn id(properties: &BasicProperties) -> Option<u64> {
    properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok())
}

fn reason(headers: &FieldTable) -> Option<String> {
    let reason = headers.inner().get(REASON)?.as_long_string()?;
    Some(String::from_utf8_lossy(reason.as_bytes()).into_owned())
}
