//! `NativeRunner`: a runner whose every Func is one line of Rust, so that what is measured is the path.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Result;
use futures_util::future::join_all;
use tokio::task::JoinSet;
use wire::broker::{Consumer, Delivery, Heard, Message, Topic, func_queue};
use wire::{
    Answer, Assignment, Body, Broker, Control, FuncAssignment, Heartbeat, InvokeHead, MemberId, Role,
    Version, decode_line, decode_lines, encode_line, split_lines,
};

/// What one of the runner's threads takes as well.
const PREFETCH: u16 = 128;

/// Consumes every queue that Tron assigns and answers each call at once.
pub struct NativeRunner {
    broker: Arc<dyn Broker>,
    member: MemberId,
    version: u64,
    queues: HashSet<String>,
    consuming: JoinSet<Result<()>>,
}

impl NativeRunner {
    /// A runner that serves nothing yet.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        let member = MemberId::generate(Role::Runner);
        Self { broker, member, version: 0, queues: HashSet::new(), consuming: JoinSet::new() }
    }

    /// Follows the assignment.
    ///
    /// # Errors
    /// When the broker is gone.
    pub async fn run(mut self) -> Result<()> {
        let mut control = self.broker.subscribe(Topic::Control).await?;
        let mut heartbeat = wire::ticks(Heartbeat::INTERVAL);
        loop {
            tokio::select! {
                _ = heartbeat.tick() => self.beat().await?,
                heard = control.next() => match heard {
                    Some(Heard::Payload(payload)) => {
                        for message in decode_lines(&payload)? {
                            self.hear(message).await?;
                        }
                    }
                    Some(Heard::Missed(_)) => {}
                    None => return Ok(()),
                },
            }
        }
    }

    async fn hear(&mut self, message: Control) -> Result<()> {
        let Control::Assignment(Assignment { version, funcs, .. }) = message else { return Ok(()) };
        if version <= self.version {
            return Ok(());
        }
        self.version = version;
        for FuncAssignment { queue, route, .. } in funcs {
            if self.queues.contains(&queue) {
                continue;
            }
            self.broker.declare(&func_queue(&queue, &route)).await?;
            let consumer = self.broker.consume(&queue, PREFETCH).await?;
            self.consuming.spawn(consume(self.broker.clone(), consumer));
            self.queues.insert(queue);
        }
        self.beat().await
    }

    async fn beat(&self) -> Result<()> {
        let heartbeat = Heartbeat::now(self.member.clone(), Role::Runner, self.version);
        Ok(self.broker.broadcast(Topic::Heartbeats, encode_line(&heartbeat)?).await?)
    }
}

async fn consume(broker: Arc<dyn Broker>, mut consumer: Consumer) -> Result<()> {
    let mut running = JoinSet::new();
    while let Some(delivery) = consumer.next().await {
        running.spawn(answer(broker.clone(), delivery));
        while running.try_join_next().is_some() {}
    }
    Ok(())
}

/// Publishes the answers, then acknowledges, as a runner does.
async fn answer(broker: Arc<dyn Broker>, delivery: Delivery) -> Result<()> {
    let payload = delivery.message.payload.clone();
    let answers = split_lines(&payload).map(|line| publish(&*broker, line));
    for published in join_all(answers).await {
        published?;
    }
    delivery.ack();
    Ok(())
}

async fn publish(broker: &dyn Broker, line: bytes::Bytes) -> Result<()> {
    let head: InvokeHead<'_> = decode_line(&line)?;
    let Some(reply_to) = head.reply_to else { return Ok(()) };
    let answer = Answer {
        v: Version,
        id: head.id,
        activation: head.activation,
        attempt: head.attempt,
        bundle: None,
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Body::from(crate::hello()),
        part: 0,
        more: false,
    };
    let message = Message::new(encode_line(&answer)?).expires_at(head.deadline).joinable();
    Ok(broker.publish(&reply_to, message).await?)
}
