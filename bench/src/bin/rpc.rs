//! RPC over RabbitMQ as somebody would write it who uses lapin well and batches nothing: a task for each
//! delivery, which publishes and then acknowledges; answers come over an exclusive queue, unacknowledged.
//!
//! `rpc URL front PORT TO`, `rpc URL relay FROM TO`, `rpc URL worker FROM`

use std::collections::HashMap;
use std::convert::Infallible;
use std::env;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::sync::oneshot;

/// Enough to keep every role busy between two acknowledgements.
const PREFETCH: u16 = 512;
/// As large as a small request of ours is on its queue.
const REQUEST: &[u8] = &[b'x'; 512];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    bench::block_on(async {
        let connection =
            Connection::connect(arguments.first().context("no URL")?, ConnectionProperties::default())
                .await?;
        let channel = connection.create_channel().await?;
        match arguments[1..] {
            ["front", port, to] => front(channel, port.parse()?, to).await,
            ["relay", from, to] => relay(channel, from, to).await,
            ["worker", from] => worker(channel, from).await,
            _ => bail!("usage: rpc URL front PORT TO | relay FROM TO | worker FROM"),
        }
    })?;
    Ok(())
}

/// The calls that wait for their answers.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<HashMap<u64, oneshot::Sender<Bytes>>>>);

impl Waiting {
    fn calls(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, id: u64) -> oneshot::Receiver<Bytes> {
        let (sender, receiver) = oneshot::channel();
        self.calls().insert(id, sender);
        receiver
    }

    fn settle(&self, delivery: Delivery) -> Option<()> {
        let id = delivery.properties.correlation_id().as_ref()?.as_str().parse().ok()?;
        self.calls().remove(&id)?.send(delivery.data.into()).ok()
    }
}

async fn front(channel: Channel, port: u16, to: &str) -> Result<Infallible> {
    let exclusive = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let replies = channel.queue_declare("".into(), exclusive, FieldTable::default()).await?;
    let replies = replies.name().clone();
    let no_ack = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let mut answers =
        channel.basic_consume(replies.clone(), "".into(), no_ack, FieldTable::default()).await?;
    let waiting = Waiting::default();
    let settling = waiting.clone();
    tokio::spawn(async move {
        while let Some(Ok(delivery)) = answers.next().await {
            // One that nobody waits for any longer is dropped.
            let _ = settling.settle(delivery);
        }
    });

    let (to, next) = (ShortString::from(to), Arc::new(std::sync::atomic::AtomicU64::new(0)));
    bench::serve(port, move || {
        let id = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (channel, to, answer) = (channel.clone(), to.clone(), waiting.enter(id));
        let properties = BasicProperties::default()
            .with_correlation_id(id.to_string().into())
            .with_reply_to(replies.clone());
        async move {
            publish(&channel, to, REQUEST, properties).await?;
            Ok(answer.await?)
        }
    })
    .await
}

async fn relay(channel: Channel, from: &str, to: &str) -> Result<Infallible> {
    let mut calls = consume(&channel, from).await?;
    let to = ShortString::from(to);
    while let Some(delivery) = calls.next().await {
        let (channel, to, delivery) = (channel.clone(), to.clone(), delivery?);
        tokio::spawn(async move {
            publish(&channel, to, &delivery.data, delivery.properties.clone()).await?;
            anyhow::Ok(delivery.ack(BasicAckOptions::default()).await?)
        });
    }
    bail!("the queue went away")
}

async fn worker(channel: Channel, from: &str) -> Result<Infallible> {
    let mut calls = consume(&channel, from).await?;
    while let Some(delivery) = calls.next().await {
        let (channel, delivery) = (channel.clone(), delivery?);
        tokio::spawn(async move {
            let reply_to = delivery.properties.reply_to().clone().context("no reply_to")?;
            let id = delivery.properties.correlation_id().clone().context("no correlation_id")?;
            let properties = BasicProperties::default().with_correlation_id(id);
            publish(&channel, reply_to, &bench::hello(), properties).await?;
            anyhow::Ok(delivery.ack(BasicAckOptions::default()).await?)
        });
    }
    bail!("the queue went away")
}

async fn consume(channel: &Channel, queue: &str) -> Result<Consumer> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
    let options = BasicConsumeOptions::default();
    Ok(channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?)
}

async fn publish(
    channel: &Channel,
    queue: ShortString,
    payload: &[u8],
    properties: BasicProperties,
) -> Result<()> {
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), queue, options, payload, properties).await?;
    Ok(())
}
