//! What callers and Funcs see of the dispatcher, over the embedded broker.

mod elsewhere;

use bytes::Bytes;
use proptest::prelude::*;
use wire::broker::{DEAD_REQUESTS, Embedded, Message, Queue, func_queue, requests_queue};
use wire::{ActivationId, Answer, Invoke, Namespace, RequestId, Version};

use super::*;
use crate::desired::tests::{route, sha};

const REPLIES: &str = "reply.test";

/// A dispatcher over its own broker, with `/a` and `/b` deployed.
struct Bench {
    broker: Arc<Embedded>,
    stop: CancellationToken,
}

impl Bench {
    async fn start() -> Self {
        let broker = Arc::new(Embedded::new());
        Self::over(broker.clone(), broker).await
    }

    /// A dispatcher that reaches the broker by way of `dispatched`.
    async fn over(broker: Arc<Embedded>, dispatched: Arc<dyn Broker>) -> Self {
        let routes = [route("*", "/a", 0), route("*", "/b", 1)];
        for route in &routes {
            let name = route.queue(&route.bundles.first().unwrap().sha);
            broker.declare(&func_queue(&name, &route.id)).await.unwrap();
        }
        broker.declare(&requests_queue()).await.unwrap();
        broker.declare(&queue(REPLIES, 100)).await.unwrap();
        let (_, table) = watch::channel(Arc::new(Table::build(&routes).unwrap()));
        let stop = CancellationToken::new();
        tokio::spawn(
            Dispatcher { broker: dispatched, table, counts: Arc::default(), tracer: Tracer::default() }
                .run(stop.clone()),
        );
        Self { broker, stop }
    }

    async fn send(&self, payload: Bytes) {
        self.broker.publish(REQUESTS, Message::new(payload)).await.unwrap();
    }

    async fn consume(&self, queue: &str) -> Consumer {
        self.broker.consume(queue, 10).await.unwrap()
    }

    async fn answer(&self) -> Answer {
        let delivery = self.consume(REPLIES).await.next().await.unwrap();
        let answer = wire::decode_line(&delivery.message.payload).unwrap();
        delivery.ack();
        answer
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn queue(name: &str, len_max: usize) -> Queue {
    Queue {
        name: name.into(),
        len_max,
        bytes_max: usize::MAX,
        dead_letter: None,
        private: false,
        single_active: false,
    }
}

fn func(base_path: &str, n: u8) -> String {
    route("*", base_path, n).queue(&sha(n))
}

/// A call whose caller waits.
pub(crate) fn invoke(path: &str) -> Invoke {
    Invoke {
        v: Version,
        id: RequestId::generate(),
        activation: ActivationId::generate(),
        namespace: Namespace::default(),
        at: Timestamp::now(),
        deadline: Timestamp::now().after(std::time::Duration::from_secs(30)),
        attempt: 1,
        retry: 0,
        reply_to: Some(REPLIES.into()),
        asynchronous: false,
        queue: None,
        bundle: None,
        replay: None,
        method: "GET".into(),
        scheme: "http".into(),
        host: "localhost".into(),
        path: path.into(),
        query: String::new(),
        headers: Vec::new(),
        client: None,
        traceparent: None,
        sent_us: None,
        body: wire::Body::EMPTY,
    }
}

fn line(invoke: &Invoke) -> Bytes {
    wire::encode_line(invoke).unwrap()
}

#[tokio::test]
async fn a_call_arrives_as_the_bytes_that_were_sent() {
    let bench = Bench::start().await;
    // The spaces would not survive being decoded and encoded again.
    let sent =
        String::from_utf8(line(&invoke("/a/x")).to_vec()).unwrap().replace("\"path\":", "\"path\" :  ");
    bench.send(sent.clone().into()).await;
    let delivery = bench.consume(&func("/a", 0)).await.next().await.unwrap();
    assert_eq!(delivery.message.payload, sent);
    assert!(delivery.message.expires_at.is_some());
}

#[tokio::test]
async fn a_call_that_another_dispatcher_had_is_passed_on_as_one_that_may_have_been_begun() {
    let broker = Arc::new(Embedded::new());
    broker.declare(&requests_queue()).await.unwrap();
    let call = invoke("/a");
    broker.publish(REQUESTS, Message::new(line(&call))).await.unwrap();
    let mut lost = broker.consume(REQUESTS, 1).await.unwrap();
    drop(lost.next().await.unwrap());
    drop(lost);
    let bench = Bench::over(broker.clone(), broker).await;
    let delivery = bench.consume(&func("/a", 0)).await.next().await.unwrap();
    let passed_on: Invoke = wire::decode_line(&delivery.message.payload).unwrap();
    assert_eq!(passed_on, Invoke { attempt: 2, ..call });
}

#[tokio::test]
async fn a_batch_is_sorted_by_queue_in_order() {
    let bench = Bench::start().await;
    let [a1, b, a2] = ["/a/1", "/b", "/a/2"].map(|path| line(&invoke(path)));
    bench.send([&a1[..], &b, b"garbage\n", &a2].concat().into()).await;
    let to_a = bench.consume(&func("/a", 0)).await.next().await.unwrap();
    assert_eq!(to_a.message.payload, [a1, a2].concat());
    let to_b = bench.consume(&func("/b", 1)).await.next().await.unwrap();
    assert_eq!(to_b.message.payload, b);
    let dead = bench.consume(DEAD_REQUESTS).await.next().await.unwrap();
    assert_eq!(dead.message.payload, "garbage");
    assert!(dead.message.dead_reason.is_some());
}

#[tokio::test]
async fn a_call_that_no_route_has_is_answered_by_tron() {
    let bench = Bench::start().await;
    let call = invoke("/none");
    bench.send(line(&call)).await;
    let answer = bench.answer().await;
    assert_eq!((answer.status, answer.activation), (404, call.activation));
    let wire::Body::Inline(body) = answer.body else { panic!("no body") };
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["component"], "tron");
}

#[tokio::test]
async fn an_expired_call_is_told_where_its_time_ran_out() {
    let bench = Bench::start().await;
    bench.send(line(&Invoke { deadline: Timestamp(1), ..invoke("/a") })).await;
    let answer = bench.answer().await;
    let wire::Body::Inline(body) = answer.body else { panic!("no body") };
    assert_eq!(answer.status, 504);
    assert!(String::from_utf8(body.to_vec()).unwrap().contains("firehose"));
}

#[tokio::test]
async fn a_promised_call_that_is_too_late_is_answered_and_kept() {
    let bench = Bench::start().await;
    let late = line(&Invoke { deadline: Timestamp(1), asynchronous: true, ..invoke("/a") });
    bench.send(late.clone()).await;
    assert_eq!(bench.answer().await.status, 504);
    let dead = bench.consume(DEAD_REQUESTS).await.next().await.unwrap();
    assert!(dead.message.persistent && late.starts_with(&dead.message.payload));
    assert!(dead.message.dead_reason.unwrap().contains("the time ran out"));
}

#[tokio::test]
async fn a_message_of_more_lines_than_any_has_is_given_up_whole() {
    let bench = Bench::start().await;
    let crowd = Bytes::from("1\n".repeat(100_000));
    bench.send(crowd.clone()).await;
    let dead = bench.consume(DEAD_REQUESTS).await.next().await.unwrap();
    assert_eq!(dead.message.payload, crowd);
    assert_eq!(dead.message.dead_reason.as_deref().map(|why| why.contains("over 2048 lines")), Some(true));
}

#[tokio::test]
async fn a_full_queue_is_said_to_be_full_and_the_call_not_executed() {
    let bench = Bench::start().await;
    bench.broker.delete(&func("/a", 0)).await.unwrap();
    bench.broker.declare(&queue(&func("/a", 0), 1)).await.unwrap();
    bench.send(line(&invoke("/a"))).await;
    bench.send(line(&invoke("/a"))).await;
    let answer = bench.answer().await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains(&("retry-after".into(), "1".into())));
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_kept_when_its_queue_is_full() {
    let bench = Bench::start().await;
    bench.broker.delete(&func("/a", 0)).await.unwrap();
    bench.send(line(&Invoke { reply_to: None, ..invoke("/a") })).await;
    let dead = bench.consume(DEAD_REQUESTS).await.next().await.unwrap();
    assert!(dead.message.dead_reason.unwrap().contains("no queue"));
}

#[tokio::test]
async fn nobody_is_answered_who_does_not_wait() {
    let bench = Bench::start().await;
    bench.send(line(&Invoke { reply_to: None, ..invoke("/none") })).await;
    let second = invoke("/none");
    bench.send(line(&second)).await;
    assert_eq!(bench.answer().await.activation, second.activation);
}

proptest! {
    #[test]
    fn every_line_is_forwarded_answered_or_buried_once(kinds in proptest::collection::vec(0usize..5, 0..12)) {
        let table = Table::build(&[route("*", "/a", 0), route("*", "/b", 1)]).unwrap();
        let lines: Vec<Bytes> = kinds.iter().map(|kind| match kind {
            0 => line(&invoke("/a")),
            1 => line(&invoke("/b")),
            2 => line(&invoke("/none")),
            3 => line(&Invoke { deadline: Timestamp(1), ..invoke("/a") }),
            _ => Bytes::from_static(b"{\"v\":2}\n"),
        }).collect();
        let sorted = Sorted::of(&table, &lines.concat().into(), false, Timestamp::now());
        for (kind, base_path) in [(0, "/a"), (1, "/b")] {
            let sent: Vec<u8> =
                kinds.iter().zip(&lines).filter(|(k, _)| **k == kind).flat_map(|(_, line)| line.to_vec()).collect();
            let queue = func(base_path, u8::from(kind == 1));
            let forwarded = sorted.forwards.iter().find(|forward| *forward.queue == *queue);
            prop_assert_eq!(forwarded.map(|forward| forward.message.payload.to_vec()).unwrap_or_default(), sent);
        }
        prop_assert_eq!(sorted.replies.len(), kinds.iter().filter(|kind| matches!(kind, 2 | 3)).count());
        prop_assert_eq!(sorted.dead.len(), kinds.iter().filter(|kind| **kind == 4).count());
    }
}
