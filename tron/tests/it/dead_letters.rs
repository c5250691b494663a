//! Dead letters, as an operator looks at them and settles them.

use std::time::Duration;

use wire::admin::{DeadLetter, RedriveRequest};
use wire::broker::{GivenUp, Message, dead_letters};
use wire::{
    ActivationId, Broker, BundleSha, Invoke, Namespace, ProblemKind, RouteId, Timestamp, decode_line,
    encode_line,
};

use crate::harness::{Stage, document, in_time, invoke, request};

const SECONDS: Duration = Duration::from_secs(1);

fn call(path: &str) -> Invoke {
    let at = Timestamp(1_700_000_000_000);
    Invoke {
        at,
        deadline: at.after(30 * SECONDS),
        attempt: 3,
        retry: 2,
        reply_to: Some("reply.gone".into()),
        asynchronous: false,
        queue: Some("func.0.0".into()),
        path: path.into(),
        ..invoke(ActivationId::generate())
    }
}

/// A Tron with one bundle deployed at `/a`, and its dead letters.
struct Morgue {
    stage: Stage,
    sha: BundleSha,
    route: RouteId,
}

impl Morgue {
    async fn open() -> Self {
        let stage = Stage::start().await;
        let sha = stage.upload(&document("A", 1)).await;
        let route = stage.handle.deploy(&request(&sha), "admin").await.unwrap().route;
        Self { stage, sha, route }
    }

    fn name(&self) -> &str {
        self.route.as_str()
    }

    async fn bury(&self, call: &Invoke) {
        let why = GivenUp::now("cut off").after(call.attempt, "the runner went away");
        self.bury_message(Message::dead(encode_line(call).unwrap(), &why)).await;
    }

    async fn bury_message(&self, message: Message) {
        self.stage.broker.publish(&dead_letters(&self.route), message).await.unwrap();
    }

    async fn letters(&self) -> Vec<DeadLetter> {
        self.stage.handle.dead_letters(self.name(), 100).await.unwrap()
    }

    /// The next message in the queue of the bundle, by way of the firehose.
    async fn dispatched(&self) -> (Message, Invoke) {
        let queue = format!("func.{}.{}", self.route, self.sha.short());
        let mut consumer = self.stage.broker.consume(&queue, 1).await.unwrap();
        let delivery = in_time(consumer.next()).await.unwrap();
        let message = delivery.message.clone();
        delivery.ack();
        let invoke = decode_line(&message.payload).unwrap();
        (message, invoke)
    }
}

#[tokio::test]
async fn what_was_given_up_is_listed_with_what_is_known_of_it() {
    let morgue = Morgue::open().await;
    assert!(morgue.stage.handle.dead_queues().await.unwrap().is_empty());
    let before = Timestamp::now();
    let calls = ["/a/1", "/a/2", "/a/3"].map(call);
    for call in &calls {
        morgue.bury(call).await;
    }
    morgue.bury_message(Message { dead_reason: Some("garbage".into()), ..Message::new("{\n".into()) }).await;
    let queue = morgue.stage.handle.dead_queues().await.unwrap().remove(0);
    assert_eq!((queue.name.as_str(), queue.count), (morgue.name(), 4));
    assert!(queue.oldest.unwrap() >= before);
    let route = queue.route.unwrap();
    assert_eq!((route.base_path.as_str(), route.title.as_str(), route.deployed), ("/a", "A", true));

    let letters = morgue.letters().await;
    for (letter, call) in letters.iter().zip(&calls) {
        assert_eq!((letter.id.clone(), letter.why.attempts), (call.activation.to_string(), Some(3)));
        assert_eq!(
            (letter.why.reason.as_str(), letter.why.last_error.as_deref()),
            ("cut off", Some("the runner went away"))
        );
        let shown = letter.call.as_ref().unwrap();
        assert_eq!((&shown.request_id, &shown.path, shown.asynchronous), (&call.id, &call.path, false));
    }
    let garbage = letters.last().unwrap();
    assert_eq!((garbage.why.reason.as_str(), garbage.call.as_ref(), garbage.why.at), ("garbage", None, None));
    assert_eq!(morgue.letters().await, letters, "a look changes nothing");
    assert_eq!(morgue.stage.handle.dead_letters(morgue.name(), 2).await.unwrap(), letters[..2]);
    assert!(morgue.stage.handle.dead_letters(morgue.name(), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_tried_again_begins_anew() {
    let morgue = Morgue::open().await;
    let asked = call("/a/1");
    let promised = Invoke { asynchronous: true, deadline: asked.at.after(90_000 * SECONDS), ..call("/a/2") };
    morgue.bury(&asked).await;
    morgue.bury(&promised).await;
    let to = Some(morgue.sha.clone());
    let now = Timestamp::now();
    let redriven =
        morgue.stage.handle.redrive(morgue.name(), &RedriveRequest { id: None, to }).await.unwrap();
    assert_eq!((redriven.redriven, redriven.kept, redriven.left), (2, 0, 0));
    let (message, again) = morgue.dispatched().await;
    assert!(message.persistent && message.dead_reason.is_none());
    let hour = 3600 * SECONDS;
    assert!(again.at >= now && again.deadline == again.at.after(hour), "{again:?}");
    let expected = Invoke {
        at: again.at,
        deadline: again.deadline,
        attempt: 1,
        retry: 0,
        reply_to: None,
        asynchronous: true,
        queue: None,
        bundle: Some(morgue.sha.clone()),
        ..asked
    };
    assert_eq!(again, expected);
    let (_, again) = morgue.dispatched().await;
    assert_eq!((again.activation, &again.reply_to), (promised.activation, &promised.reply_to));
    assert_eq!(again.deadline, again.at.after(90_000 * SECONDS));
    let store = &morgue.stage.store;
    assert_eq!(store.pending_call(promised.activation).await.unwrap(), Some(again), "it is looked for again");
    assert_eq!(store.pending_call(asked.activation).await.unwrap(), None, "nobody was promised it");
    assert!(morgue.letters().await.is_empty());
}

#[tokio::test]
async fn what_would_be_refused_is_not_tried_again() {
    let morgue = Morgue::open().await;
    let homeless = call("/elsewhere");
    morgue.bury(&homeless).await;
    morgue.bury_message(Message::new("{\n".into())).await;
    morgue.bury(&call("/a/1")).await;
    let handle = &morgue.stage.handle;
    let elsewhere = RedriveRequest { id: None, to: Some(BundleSha::of(b"other")) };
    let redriven = handle.redrive(morgue.name(), &elsewhere).await.unwrap();
    assert_eq!((redriven.redriven, redriven.kept, redriven.left), (0, 3, 3));
    let redriven = handle.redrive(morgue.name(), &RedriveRequest::default()).await.unwrap();
    assert_eq!((redriven.redriven, redriven.kept, redriven.left), (1, 2, 2));
    let left: Vec<String> = morgue.letters().await.into_iter().map(|letter| letter.id).collect();
    assert_eq!(
        (left.len(), left[0].clone()),
        (2, homeless.activation.to_string()),
        "what stays keeps its place"
    );
}

#[tokio::test]
async fn one_of_many_is_tried_again_or_thrown_away() {
    let morgue = Morgue::open().await;
    let calls = ["/a/1", "/a/2", "/a/3"].map(call);
    for call in &calls {
        morgue.bury(call).await;
    }
    let handle = &morgue.stage.handle;
    let [first, second, third] = calls.each_ref().map(|call| call.activation.to_string());
    let one = RedriveRequest { id: Some(second.clone()), to: None };
    assert_eq!(handle.redrive(morgue.name(), &one).await.unwrap().redriven, 1);
    assert_eq!(morgue.dispatched().await.1.path, "/a/2");
    let gone = handle.redrive(morgue.name(), &one).await.unwrap_err();
    assert_eq!(gone.kind(), ProblemKind::NotFound);
    assert_eq!(handle.purge(morgue.name(), Some(&first)).await.unwrap().purged, 1);
    assert_eq!(handle.purge(morgue.name(), Some(&first)).await.unwrap_err().kind(), ProblemKind::NotFound);
    assert_eq!(morgue.letters().await[0].id, third);
    assert_eq!(handle.purge(morgue.name(), None).await.unwrap().purged, 1);
    assert!(morgue.letters().await.is_empty());
}

#[tokio::test]
async fn more_than_a_look_holds_are_thrown_away_too() {
    let morgue = Morgue::open().await;
    for number in 0..1_234 {
        morgue.bury_message(Message::new(format!("{number}\n").into())).await;
    }
    assert_eq!(morgue.stage.handle.purge(morgue.name(), None).await.unwrap().purged, 1_234);
}

#[tokio::test]
async fn the_dead_letters_of_a_route_outlive_it() {
    let morgue = Morgue::open().await;
    morgue.bury(&call("/a/1")).await;
    morgue.stage.handle.undeploy(&morgue.route, "admin").await.unwrap();
    let queue = morgue.stage.handle.dead_queues().await.unwrap().remove(0);
    assert!(!queue.route.unwrap().deployed);
    assert_eq!(morgue.letters().await.len(), 1);
    let unknown = RouteId::of(&Namespace::default(), "*", "/unknown");
    let refused = morgue.stage.handle.dead_letters(unknown.as_str(), 1).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::NotFound);
    let refused = morgue.stage.handle.dead_letters("../x", 1).await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::InvalidRequest);
}
