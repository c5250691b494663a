//! Promised calls that get lost, over the embedded broker and a store in a directory.

use tempfile::TempDir;
use wire::broker::{Consumer, DEAD_REQUESTS, Embedded, GivenUp, Message, dead_letters, func_queue};
use wire::broker::{requests_queue, results_queue, retries_queue};
use wire::calls::{Accepted, Claim, Finished};
use wire::{Answer, Body, Component, Problem, ProblemKind, Role, decode_line, encode_line};

use super::*;
use crate::desired::tests::{route, sha, state};
use crate::dispatcher::tests::invoke;

const MINUTE: Duration = Duration::from_secs(60);

/// A broker with the queues of bundle 1 at `/a`, which has replaced bundle 0, and of all; a store; and one call.
struct Bench {
    broker: Arc<Embedded>,
    store: Store,
    dir: TempDir,
    call: Invoke,
}

fn call() -> Invoke {
    let call = invoke("/a/x");
    Invoke {
        activation: ActivationId::unguessable(),
        deadline: call.at.after(60 * MINUTE),
        reply_to: Some(RESULTS.into()),
        asynchronous: true,
        method: "POST".into(),
        body: Body::from("body".to_owned().into_bytes()),
        ..call
    }
}

/// The queue of bundle `n` at `/a`.
fn func(n: u8) -> String {
    route("*", "/a", n).queue(&sha(n))
}

impl Bench {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::directory(dir.path()).unwrap();
        let broker = Arc::new(Embedded::new());
        for n in [0, 1] {
            let route = route("*", "/a", n);
            broker.declare(&func_queue(&func(n), &route.id)).await.unwrap();
            store.append_deployment(&state(u64::from(n) + 1, vec![route])).await.unwrap();
        }
        for queue in [requests_queue(), retries_queue(), results_queue()] {
            broker.declare(&queue).await.unwrap();
        }
        let bench = Self { broker, store, dir, call: call() };
        bench.promise(&bench.call).await;
        bench
    }

    async fn promise(&self, call: &Invoke) {
        let Invoke { activation, at, deadline, .. } = *call;
        let accepted = Accepted {
            activation,
            request_id: call.id.clone(),
            namespace: call.namespace.clone(),
            at,
            deadline,
            expires_at: deadline.after(60 * MINUTE),
            callback: None,
        };
        self.store.accept_call(&accepted).await.unwrap();
        self.store.keep_pending(call).await.unwrap();
    }

    fn audit(&self) -> Audit {
        let log = Arc::new(Log::new(self.store.clone()));
        let member = MemberId::generate(Role::Tron);
        Audit::new(self.broker.clone(), self.store.clone(), log, member, MINUTE)
    }

    /// So long after the call was promised.
    fn after(&self, minutes: u32) -> Timestamp {
        // What was written a moment later is old as well.
        self.call.at.after(minutes * MINUTE + Duration::from_secs(10))
    }

    async fn publish(&self, queue: &str, message: Message) {
        self.broker.publish(queue, message).await.unwrap();
    }

    async fn ready(&self, queue: &str) -> usize {
        self.broker.depth(queue).await.unwrap().ready
    }

    /// Takes what lies in a queue, as somebody who loses it.
    async fn take(&self, queue: &str) -> Vec<Message> {
        let mut consumer: Consumer = self.broker.consume(queue, 9).await.unwrap();
        let mut messages = Vec::new();
        while let Some(delivery) = consumer.try_next() {
            messages.push(delivery.message.clone());
            delivery.ack();
        }
        messages
    }

    /// What is in the firehose, taken from there.
    async fn begun(&self) -> Vec<Invoke> {
        let messages = self.take(REQUESTS).await;
        assert!(messages.iter().all(|message| message.persistent && !message.joinable));
        messages.iter().map(|message| decode_line(&message.payload).unwrap()).collect()
    }

    async fn is_pending(&self) -> bool {
        self.store.pending_call(self.call.activation).await.unwrap().is_some()
    }

    fn answer(&self) -> Answer {
        let problem = Problem::new(ProblemKind::NotFound, "", self.call.id.clone(), Component::Tron);
        Answer::problem(self.call.activation, 1, problem)
    }
}

#[tokio::test]
async fn what_is_nowhere_is_begun_again_as_what_may_have_been_begun_and_given_up_in_the_end() {
    let bench = Bench::start().await;
    let mut audit = bench.audit();
    for (minutes, attempt) in [(1, None), (2, Some(2)), (3, Some(3))] {
        for _ in 0..2 {
            audit.round(bench.after(minutes)).await.unwrap();
        }
        let expected: Vec<Invoke> =
            attempt.iter().map(|&attempt| Invoke { attempt, ..bench.call.clone() }).collect();
        assert_eq!(bench.begun().await, expected);
        assert!(bench.is_pending().await);
    }
    audit.round(bench.after(4)).await.unwrap();
    assert_eq!(bench.begun().await, []);
    let dead = bench.take(&dead_letters(&route("*", "/a", 1).id)).await.remove(0);
    assert_eq!(decode_line::<Invoke>(&dead.payload).unwrap(), bench.call);
    let why = GivenUp::read(dead.dead_reason.as_deref().unwrap());
    assert!(why.reason.contains("lost") && why.last_error.is_some(), "{why:?}");
    let result: Answer = decode_line(&bench.take(RESULTS).await.remove(0).payload).unwrap();
    assert_eq!((result.activation, result.status), (bench.call.activation, 502));
}

#[tokio::test]
async fn what_may_lie_in_a_queue_or_in_somebodys_hands_is_left() {
    let [new, old] = [func(1), func(0)];
    for queue in [REQUESTS, RETRIES, RESULTS, &new, &old] {
        for is_held in [false, true] {
            let bench = Bench::start().await;
            bench.publish(queue, Message::new("{}\n".into())).await;
            let mut consumer = bench.broker.consume(queue, 1).await.unwrap();
            let _held = if is_held { consumer.next().await } else { None };
            let mut audit = bench.audit();
            for minutes in 1..5 {
                audit.round(bench.after(minutes)).await.unwrap();
            }
            let claim = bench.store.last_claim(bench.call.activation).await.unwrap();
            assert_eq!(claim, None, "{queue}, held: {is_held}");
        }
    }
}

#[tokio::test]
async fn what_may_be_held_back_is_left() {
    let bench = Bench::start().await;
    bench.publish(REQUESTS, Message::new("{}\n".into()).delayed(60 * MINUTE)).await;
    let mut audit = bench.audit();
    for minutes in 1..5 {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    assert_eq!(bench.store.last_claim(bench.call.activation).await.unwrap(), None);
}

#[tokio::test]
async fn a_queue_that_is_gone_holds_nothing() {
    let bench = Bench::start().await;
    for queue in [func(0), func(1), RETRIES.to_owned(), RESULTS.to_owned()] {
        bench.broker.delete(&queue).await.unwrap();
    }
    let mut audit = bench.audit();
    for minutes in [1, 2] {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    assert_eq!(bench.begun().await.len(), 1);
}

#[tokio::test]
async fn of_several_trons_one_begins_it_again() {
    let bench = Bench::start().await;
    let mut audits = [(); 4].map(|()| bench.audit());
    for minutes in [1, 2] {
        let rounds = audits.iter_mut().map(|audit| audit.round(bench.after(minutes)));
        futures_util::future::try_join_all(rounds).await.unwrap();
    }
    assert_eq!(bench.begun().await.len(), 1);
}

#[tokio::test]
async fn what_somebody_claimed_and_died_over_is_tried_again_later() {
    let bench = Bench::start().await;
    let claim = Claim { number: 1, at: bench.after(2), by: MemberId::generate(Role::Tron) };
    assert!(bench.store.claim_call(bench.call.activation, &claim).await.unwrap());
    let mut audit = bench.audit();
    for minutes in [1, 2, 3] {
        audit.round(bench.after(minutes)).await.unwrap();
        assert_eq!(bench.ready(REQUESTS).await, usize::from(minutes == 3), "{minutes}");
    }
    assert_eq!(bench.begun().await[0].attempt, 3, "it may have been begun twice");
}

#[tokio::test]
async fn what_the_broker_refuses_is_tried_again_and_not_counted() {
    let bench = Bench::start().await;
    bench.broker.delete(REQUESTS).await.unwrap();
    let mut audit = bench.audit();
    for minutes in [1, 2, 3, 4, 5] {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    bench.broker.declare(&requests_queue()).await.unwrap();
    audit.round(bench.after(6)).await.unwrap();
    assert_eq!(bench.begun().await[0].attempt, 2);
}

#[tokio::test]
async fn what_has_ended_or_was_never_promised_is_forgotten() {
    for is_promised in [true, false] {
        let bench = Bench::start().await;
        match is_promised {
            true => {
                let finished = Finished { at: bench.call.at, answer: bench.answer() };
                assert!(bench.store.finish_call(&finished).await.unwrap());
            }
            false => {
                bench.store.forget_call(bench.call.activation).await.unwrap();
                bench.store.keep_pending(&bench.call).await.unwrap();
            }
        }
        let mut audit = bench.audit();
        for minutes in [1, 2] {
            audit.round(bench.after(minutes)).await.unwrap();
        }
        assert!(bench.begun().await.is_empty() && !bench.is_pending().await, "promised: {is_promised}");
    }
}

#[tokio::test]
async fn what_was_begun_anew_after_a_result_is_not_taken_for_done() {
    let bench = Bench::start().await;
    let finished = Finished { at: Timestamp(bench.call.at.0 - 1), answer: bench.answer() };
    assert!(bench.store.finish_call(&finished).await.unwrap());
    let mut audit = bench.audit();
    for minutes in [1, 2] {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    assert_eq!(bench.begun().await.len(), 1);
}

#[tokio::test]
async fn what_is_overdue_is_a_dead_letter_with_a_result_though_its_queue_never_empties() {
    let bench = Bench::start().await;
    bench.publish(&func(1), Message::new(encode_line(&bench.call).unwrap()).persistent()).await;
    // No route was ever there for this one.
    let homeless = Invoke { path: "/b".into(), ..call() };
    bench.promise(&homeless).await;
    let mut audit = bench.audit();
    audit.round(bench.after(64)).await.unwrap();
    assert_eq!(bench.ready(RESULTS).await, 0);
    audit.round(bench.after(65)).await.unwrap();
    audit.round(bench.after(65)).await.unwrap();
    for (queue, call) in [(&*dead_letters(&route("*", "/a", 1).id), &bench.call), (DEAD_REQUESTS, &homeless)]
    {
        let dead = bench.take(queue).await;
        assert_eq!(dead.len(), 1, "{queue}");
        assert_eq!(decode_line::<Invoke>(&dead[0].payload).unwrap(), *call);
    }
    let results = bench.take(RESULTS).await;
    let status = |message: &Message| decode_line::<Answer>(&message.payload).unwrap().status;
    assert_eq!(results.iter().map(status).collect::<Vec<_>>(), [504, 504]);
}

#[tokio::test]
async fn whoever_cannot_be_told_now_is_told_later_and_not_each_time_anew() {
    let bench = Bench::start().await;
    bench.broker.delete(RESULTS).await.unwrap();
    let mut audit = bench.audit();
    for _ in 0..5 {
        audit.round(bench.after(65)).await.unwrap();
    }
    let dead = dead_letters(&route("*", "/a", 1).id);
    assert_eq!(bench.ready(&dead).await, 1);
    bench.broker.declare(&results_queue()).await.unwrap();
    audit.round(bench.after(66)).await.unwrap();
    assert_eq!((bench.ready(&dead).await, bench.ready(RESULTS).await), (2, 1));
}

#[tokio::test]
async fn a_record_that_nobody_can_read_is_in_nobodys_way() {
    let bench = Bench::start().await;
    let broken = ActivationId::unguessable();
    let file = bench.dir.path().join(format!("calls/pending/{broken}.json"));
    std::fs::write(file, "{").unwrap();
    let mut audit = bench.audit();
    for minutes in [1, 2] {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    assert_eq!(bench.begun().await.len(), 1);
}

#[tokio::test]
async fn calls_that_wait_do_not_keep_others_from_being_found() {
    let bench = Bench::start().await;
    bench.publish(&func(1), Message::new("{}\n".into())).await;
    for _ in 0..CALLS_MAX {
        bench.promise(&call()).await;
    }
    let lost = Invoke { path: "/b".into(), ..call() };
    bench.promise(&lost).await;
    let mut audit = bench.audit();
    for minutes in 1..6 {
        audit.round(bench.after(minutes)).await.unwrap();
    }
    let begun = bench.begun().await;
    assert_eq!(begun.first().map(|invoke| invoke.activation), Some(lost.activation));
    assert!(begun.iter().all(|invoke| invoke.path == "/b"));
}

#[tokio::test(start_paused = true)]
async fn it_looks_again_and_again_until_it_is_stopped() {
    let bench = Bench::start().await;
    let audit = Audit { lost_after: Duration::ZERO, looks: Looks::new(Duration::ZERO), ..bench.audit() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(audit.run(stop.clone()));
    let mut requests = bench.broker.consume(REQUESTS, 1).await.unwrap();
    let delivery = requests.next().await.unwrap();
    assert_eq!(decode_line::<Invoke>(&delivery.message.payload).unwrap().attempt, 2);
    stop.cancel();
    running.await.unwrap();
}
