//! Frontends that dispatch by themselves, with nobody there who is called Tron.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use frontend::{Config, Dispatch};
use tokio::time::timeout;
use wire::broker::{Embedded, Heard, Message, Subscription, Topic, func_queue};
use wire::{
    Broker, BundleSha, Control, Heartbeat, Invoke, Labels, Namespace, Role, Route, RouteId, Version,
    WeightedBundle, decode_line, encode_line,
};

use crate::harness::{PATIENCE, Stage, answer};

/// A frontend that dispatches by itself, and what it says about itself.
struct Direct {
    stage: Stage,
    heartbeats: Subscription,
}

impl Direct {
    /// Calls that come by the firehose are answered "through Tron".
    async fn start(dispatch: Dispatch) -> Self {
        let through_tron = |invoke: &Invoke| vec![answer(invoke, 200, &[], "through Tron")];
        let broker = Arc::new(Embedded::new());
        let heartbeats = broker.subscribe(Topic::Heartbeats).await.unwrap();
        let stage = Stage::beside(broker, Config { dispatch, ..Config::default() }, through_tron).await;
        let mut direct = Self { stage, heartbeats };
        direct.hold(0).await;
        direct
    }

    /// Waits until the frontend says that it holds this version.
    async fn hold(&mut self, version: u64) {
        loop {
            let heard = timeout(PATIENCE, self.heartbeats.next()).await.unwrap().unwrap();
            let Heard::Payload(payload) = heard else { continue };
            let heartbeat: Heartbeat = decode_line(&payload).unwrap();
            assert_eq!(heartbeat.role, Role::Frontend);
            if heartbeat.version == version {
                return;
            }
        }
    }

    async fn publish(&self, version: u64, routes: &[Route]) {
        self.publish_but(version, routes, &[]).await;
    }

    /// The same, and that nobody serves these queues.
    async fn publish_but(&self, version: u64, routes: &[Route], unserved: &[String]) {
        let unserved = unserved.iter().map(|queue| (queue.clone(), "no runner".to_owned())).collect();
        let routes = Control::Routes { v: Version, version, routes: routes.to_vec(), unserved };
        self.stage.broker.broadcast(Topic::Control, encode_line(&routes).unwrap()).await.unwrap();
    }

    async fn body(&self, path: &str) -> String {
        self.stage.get(path).await.body
    }
}

/// `/a`, shared equally by these bundles.
fn route(bundles: &[u8]) -> Route {
    let namespace = Namespace::default();
    Route {
        id: RouteId::of(&namespace, "*", "/a"),
        namespace,
        host: "*".into(),
        base_path: "/a".into(),
        bundles: bundles
            .iter()
            .map(|n| WeightedBundle { sha: sha(*n), weight: 50, placement: Labels::default(), trial: None })
            .collect(),
        props: serde_json::Map::new(),
        outbound: Vec::new(),
    }
}

fn sha(n: u8) -> BundleSha {
    BundleSha::of(&[n])
}

/// Declares the queue of bundle `n` and answers its calls with the bundle's number; how many came.
async fn serve(broker: &Arc<Embedded>, n: u8) -> Arc<AtomicUsize> {
    let (route, calls) = (route(&[n]), Arc::new(AtomicUsize::new(0)));
    let queue = route.queue(&sha(n));
    broker.declare(&func_queue(&queue, &route.id)).await.unwrap();
    let mut consumer = broker.consume(&queue, 8).await.unwrap();
    let (broker, counted) = (broker.clone(), calls.clone());
    tokio::spawn(async move {
        while let Some(delivery) = consumer.next().await {
            let invoke: Invoke = decode_line(&delivery.message.payload).unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let line = encode_line(&answer(&invoke, 200, &[], &n.to_string())).unwrap();
            broker.publish(invoke.reply_to.as_deref().unwrap(), Message::new(line)).await.unwrap();
            delivery.ack();
        }
    });
    calls
}

#[tokio::test]
async fn calls_of_known_routes_skip_the_firehose_with_nobody_there_to_dispatch() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    serve(&direct.stage.broker, 1).await;
    assert_eq!(direct.body("/a/x").await, "through Tron", "there are no routes yet");
    direct.publish(1, &[route(&[1])]).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a/x").await, "1");
    assert_eq!(direct.body("/b").await, "through Tron", "no route is known for it");
    assert_eq!(direct.stage.calls(), 2);
}

#[tokio::test]
async fn new_routes_take_the_place_of_the_old_and_old_ones_do_not_come_back() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    serve(&direct.stage.broker, 1).await;
    serve(&direct.stage.broker, 2).await;
    for (version, n, expected) in [(4, 1, "1"), (5, 2, "2")] {
        direct.publish(version, &[route(&[n])]).await;
        direct.hold(version).await;
        assert_eq!(direct.body("/a").await, expected);
    }
    direct.publish(4, &[route(&[1])]).await;
    direct.publish(6, &[]).await;
    direct.hold(6).await;
    assert_eq!(direct.body("/a").await, "through Tron");
}

#[tokio::test]
async fn a_queue_that_is_gone_is_for_tron_to_sort_out() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    direct.publish(1, &[route(&[1])]).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "through Tron");
}

#[tokio::test]
async fn routes_that_contradict_each_other_leave_those_before_them_in_force() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    serve(&direct.stage.broker, 1).await;
    direct.publish(1, &[route(&[1])]).await;
    direct.hold(1).await;
    direct.publish(2, &[Route { bundles: Vec::new(), ..route(&[]) }]).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "1");
}

#[tokio::test]
async fn calls_are_shared_among_the_bundles_of_a_route() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    let (one, two) = (serve(&direct.stage.broker, 1).await, serve(&direct.stage.broker, 2).await);
    direct.publish(1, &[route(&[1, 2])]).await;
    direct.hold(1).await;
    for _ in 0..64 {
        direct.body("/a").await;
    }
    let counts = (one.load(Ordering::SeqCst), two.load(Ordering::SeqCst));
    assert!(counts.0 > 0 && counts.1 > 0 && counts.0 + counts.1 == 64, "{counts:?}");
}

#[tokio::test]
async fn through_tron_every_call_goes_by_the_firehose() {
    let mut direct = Direct::start(Dispatch::ThroughTron).await;
    serve(&direct.stage.broker, 1).await;
    direct.publish(1, &[route(&[1])]).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "through Tron");
}

#[tokio::test]
async fn a_queue_that_nobody_serves_is_for_tron_to_sort_out_until_somebody_does() {
    let mut direct = Direct::start(Dispatch::Direct).await;
    serve(&direct.stage.broker, 1).await;
    let routes = [route(&[1])];
    let queues = [routes[0].queue(&sha(1))];
    direct.publish_but(1, &routes, &queues).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "through Tron");
    direct.publish(1, &routes).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "1", "within a version too");
    direct.publish_but(1, &routes, &queues).await;
    direct.publish_but(0, &routes, &[]).await;
    direct.hold(1).await;
    assert_eq!(direct.body("/a").await, "through Tron");
}
