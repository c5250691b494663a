//! The three users of docs/operations.md: each can do its part and no more.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{message, next, queue, text};
use crate::broker::contract::Vhost;
use crate::broker::{
    Broker, CALLBACKS, DEAD_REQUESTS, Error, Queue, REQUESTS, RESULTS, RETRIES, RabbitMq, Topic,
    callbacks_queue, capture_queue, dead_letters, dead_queue, func_queue, requests_queue, results_queue,
    retries_queue,
};
use crate::{CaptureId, Namespace, RouteId};

/// The table in docs/operations.md, which a test holds to this.
const ROWS: [[&str; 4]; 3] = [
    [
        "frontend",
        r"^(reply|topic)\..*$",
        r"^((reply|topic)\..*|funcatron\.(requests|calls|heartbeats))$",
        r"^((reply|topic)\..*|funcatron\.(replies|control))$",
    ],
    [
        "tron",
        r"^((funcatron|func|dead|capture|delay|topic)\..*|reply\.tron-.*|requests|retries|results|callbacks)$",
        r"^((funcatron|func|dead|capture|delay|topic)\..*|reply\.tron-.*|requests|retries|results|callbacks)$",
        r"^((funcatron|func|dead|capture|delay|topic)\..*|reply\.tron-.*|requests|retries|results|callbacks)$",
    ],
    [
        "runner",
        r"^(topic|delay)\..*$",
        r"^((topic|delay)\..*|funcatron\.(requests|calls|replies|dead|capture|delays|heartbeats|activations))$",
        r"^((func|topic|delay)\..*|retries|funcatron\.(control|delays))$",
    ],
];

fn permissions(role: &str) -> Value {
    let [_, configure, write, read] = ROWS.into_iter().find(|row| row[0] == role).unwrap();
    json!({"configure": configure, "write": write, "read": read})
}

async fn connect(vhost: &Vhost, role: &str) -> RabbitMq {
    RabbitMq::connect(&vhost.user(&permissions(role)), role).await.unwrap()
}

fn route() -> RouteId {
    RouteId::of(&Namespace::default(), "*", "/a")
}

fn func() -> String {
    format!("func.{}.01234567", route())
}

/// A virtual host on which Tron has declared what is its to declare.
async fn prepared() -> (Vhost, RabbitMq) {
    let vhost = Vhost::make();
    let tron = connect(&vhost, "tron").await;
    for queue in [
        requests_queue(),
        retries_queue(),
        results_queue(),
        callbacks_queue(),
        func_queue(&func(), &route()),
        dead_queue(DEAD_REQUESTS),
    ] {
        tron.declare(&queue).await.unwrap();
    }
    (vhost, tron)
}

/// In a table of Markdown, a bar that is none between cells has a backslash.
#[test]
fn the_table_in_the_documentation_is_this_one() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    for row in ROWS {
        let [role, configure, write, read] = row.map(|cell| cell.replace('|', r"\|"));
        let row = format!("| {role} | `{configure}` | `{write}` | `{read}` |");
        assert!(text.contains(&row), "not in docs/operations.md: {row}");
    }
}

#[tokio::test]
async fn a_call_passes_through_all_three() {
    let (vhost, tron) = prepared().await;
    let (frontend, runner) = (connect(&vhost, "frontend").await, connect(&vhost, "runner").await);
    let replies = Queue { private: true, ..queue("reply.frontend-1") };
    frontend.declare(&requests_queue()).await.unwrap();
    frontend.declare(&replies).await.unwrap();
    let mut answers = frontend.consume(&replies.name, 10).await.unwrap();
    frontend.publish(REQUESTS, message("call\n")).await.unwrap();
    let delivery = next(&mut tron.consume(REQUESTS, 10).await.unwrap()).await;
    tron.publish(&func(), delivery.message.clone()).await.unwrap();
    delivery.ack();
    runner.declare(&func_queue(&func(), &route())).await.unwrap();
    let mut calls = runner.consume(&func(), 10).await.unwrap();
    let delivery = next(&mut calls).await;
    runner.publish(&replies.name, message("answer\n")).await.unwrap();
    delivery.ack();
    assert_eq!(text(&next(&mut answers).await), "answer\n");
    frontend.publish(&func(), message("direct\n")).await.unwrap();
    next(&mut calls).await.dead_letter("it has to end somewhere");
    let mut dead = tron.consume(&dead_letters(&route()), 1).await.unwrap();
    assert_eq!(text(&next(&mut dead).await), "direct\n");
}

#[tokio::test]
async fn what_is_tried_again_and_what_nobody_waits_for_passes_as_well() {
    let (vhost, tron) = prepared().await;
    let runner = connect(&vhost, "runner").await;
    runner.declare(&retries_queue()).await.unwrap();
    for queue in [&*func(), RETRIES, RESULTS, REQUESTS] {
        runner.publish(queue, message("again").persistent()).await.unwrap();
    }
    next(&mut runner.consume(RETRIES, 1).await.unwrap()).await.ack();
    next(&mut tron.consume(RESULTS, 1).await.unwrap()).await.ack();
    tron.publish(CALLBACKS, message("result").persistent()).await.unwrap();
    next(&mut tron.consume(CALLBACKS, 1).await.unwrap()).await.ack();
    let mut requests = tron.consume(REQUESTS, 10).await.unwrap();
    next(&mut requests).await.ack();
    let later = message("later").persistent().delayed(std::time::Duration::from_secs(1));
    runner.publish(REQUESTS, later).await.unwrap();
    assert_eq!(tron.depth(REQUESTS).await.unwrap().held_back, 1);
    assert_eq!(text(&next(&mut requests).await), "later");
}

#[tokio::test]
async fn a_captured_call_goes_to_tron_and_to_whoever_listens() {
    let (vhost, tron) = prepared().await;
    let runner = connect(&vhost, "runner").await;
    let queue = capture_queue(&CaptureId::generate());
    tron.declare(&queue).await.unwrap();
    let own = vhost.broker().await;
    own.declare(&Queue { name: "mine".into(), ..queue.clone() }).await.unwrap();
    bind(&vhost, "mine", "funcatron.capture", "capture.#").await;
    runner.publish(&queue.name, message("call\n")).await.unwrap();
    assert_eq!(text(&next(&mut tron.consume(&queue.name, 1).await.unwrap()).await), "call\n");
    assert_eq!(text(&next(&mut own.consume("mine", 1).await.unwrap()).await), "call\n");
    assert_eq!(runner.consume(&queue.name, 1).await.err(), Some(Error::Unavailable));
    tron.delete(&queue.name).await.unwrap();
}

/// As any client of RabbitMQ can.
async fn bind(vhost: &Vhost, queue: &str, exchange: &str, key: &str) {
    let connection = lapin::Connection::connect_uri(vhost.url().uri(), Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    crate::broker::rabbitmq::topology::bind(&channel, queue, exchange, key).await.unwrap();
}

#[tokio::test]
async fn everybody_hears_what_is_said_to_them() {
    let (vhost, tron) = prepared().await;
    let (frontend, runner) = (connect(&vhost, "frontend").await, connect(&vhost, "runner").await);
    let (mut to_frontend, mut to_runner, mut to_tron) = (
        frontend.subscribe(Topic::Control).await.unwrap(),
        runner.subscribe(Topic::Control).await.unwrap(),
        tron.subscribe(Topic::Heartbeats).await.unwrap(),
    );
    let mut records = tron.subscribe(Topic::Activations).await.unwrap();
    tron.broadcast(Topic::Control, Bytes::from("routes")).await.unwrap();
    frontend.broadcast(Topic::Heartbeats, Bytes::from("here")).await.unwrap();
    runner.broadcast(Topic::Heartbeats, Bytes::from("here")).await.unwrap();
    runner.broadcast(Topic::Activations, Bytes::from("record")).await.unwrap();
    for subscription in [&mut to_frontend, &mut to_runner, &mut to_tron, &mut records] {
        assert!(subscription.next().await.is_some());
    }
    assert!(to_tron.next().await.is_some(), "of both");
    assert_eq!(runner.broadcast(Topic::Control, Bytes::from("forged")).await, Err(Error::Unavailable));
}

#[tokio::test]
async fn nobody_takes_what_is_not_theirs() {
    let (vhost, tron) = prepared().await;
    let replies = Queue { private: true, ..queue("reply.frontend-1") };
    let frontend = connect(&vhost, "frontend").await;
    frontend.declare(&replies).await.unwrap();
    let runner = connect(&vhost, "runner").await;
    for (who, queue) in [
        (&frontend, REQUESTS),
        (&frontend, &*func()),
        (&frontend, DEAD_REQUESTS),
        (&runner, REQUESTS),
        (&runner, RESULTS),
        (&runner, CALLBACKS),
        (&runner, "reply.frontend-1"),
        (&runner, DEAD_REQUESTS),
        (&tron, "reply.frontend-1"),
    ] {
        assert_eq!(who.consume(queue, 1).await.err(), Some(Error::Unavailable), "{queue}");
    }
    for who in [&frontend, &runner] {
        assert_eq!(who.delete(&func()).await, Err(Error::Unavailable));
    }
    assert_eq!(frontend.publish("reply.frontend-1", message("forged")).await, Err(Error::Unavailable));
}

/// Who may write to it may write to every queue.
#[tokio::test]
async fn nobody_may_write_to_the_default_exchange() {
    let (vhost, _tron) = prepared().await;
    for [role, ..] in ROWS {
        let uri = vhost.user(&permissions(role)).uri();
        let connection = lapin::Connection::connect_uri(uri, Default::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(Default::default()).await.unwrap();
        let publish =
            channel.basic_publish("".into(), REQUESTS.into(), Default::default(), b"", Default::default());
        let refused = publish.await.unwrap().await.unwrap_err();
        assert_eq!(super::super::line::refusal_code(&refused), Some(403), "{role}");
    }
}
