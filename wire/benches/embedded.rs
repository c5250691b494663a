//! What the embedded broker costs a message: it lies on the path of every request.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion makes the functions; a benchmark may fail")]

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use wire::Broker;
use wire::broker::{Consumer, Embedded, Message, Queue};

fn broker_with_consumer(runtime: &Runtime) -> (Embedded, Consumer) {
    let broker = Embedded::new();
    let queue = Queue {
        name: "q".into(),
        len_max: 10_000,
        bytes_max: 1 << 20,
        dead_letter: None,
        private: false,
        single_active: false,
    };
    runtime.block_on(broker.declare(&queue)).unwrap();
    let consumer = runtime.block_on(broker.consume("q", 64)).unwrap();
    (broker, consumer)
}

fn embedded(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let payload = Bytes::from(vec![b'a'; 500]);

    let (broker, mut consumer) = broker_with_consumer(&runtime);
    criterion.bench_function("publish, deliver and ack", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                broker.publish("q", Message::new(payload.clone())).await.unwrap();
                consumer.next().await.unwrap().ack();
            });
        });
    });

    let (broker, mut consumer) = broker_with_consumer(&runtime);
    criterion.bench_function("publish, wake a waiting consumer, deliver and ack", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let publish = async {
                    broker.publish("q", Message::new(payload.clone())).await.unwrap();
                };
                let (delivery, ()) = tokio::join!(biased; consumer.next(), publish);
                delivery.unwrap().ack();
            });
        });
    });
}

criterion_group!(benches, embedded);
criterion_main!(benches);
