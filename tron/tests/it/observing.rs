//! What operators want to see of routes reaches runners, and every Tron.

use std::sync::Arc;

use serde_json::json;
use wire::broker::{Embedded, Heard, Subscription, Topic};
use wire::egress::AllowList;
use wire::{Broker, Control, Level, Observation, Store};

use crate::harness::{Stage, in_time};

/// The next observation that is told and that is as it should be.
async fn told(control: &mut Subscription, is_wanted: impl Fn(&Observation) -> bool) -> Observation {
    let told = async {
        loop {
            let Some(Heard::Payload(payload)) = control.next().await else { panic!("nothing is told") };
            match wire::decode_line(&payload).unwrap() {
                Control::Observation(observation) if is_wanted(&observation) => return observation,
                _ => {}
            }
        }
    };
    in_time(told).await
}

#[tokio::test]
async fn a_level_is_told_at_once_and_again_and_ends_when_it_is_reset() {
    let stage = Stage::start().await;
    let (route, _) = stage.deployed().await;
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    let path = format!("/levels/{route}");
    let set = stage.ask("PUT", &path, r#"{"level":"debug","for_seconds":60}"#).await;
    assert_eq!((set.status, set.json()["level"].clone()), (200, json!("debug")));
    for _again in 0..2 {
        let observation = told(&mut control, |observation| observation.version == 1).await;
        let levels: Vec<_> = observation.levels.iter().map(|level| (&level.route, level.level)).collect();
        assert_eq!(levels, [(&route, Level::Debug)]);
    }
    assert_eq!(stage.ask("GET", "/levels", "").await.json()[0]["by"], "admin");
    assert_eq!(stage.ask("DELETE", &path, "").await.status, 204);
    assert_eq!(told(&mut control, |observation| observation.version == 2).await.levels, []);
    assert_eq!(stage.ask("GET", "/levels", "").await.json(), json!([]));
    assert_eq!(stage.ask("DELETE", &path, "").await.status, 404);
}

#[tokio::test]
async fn a_level_that_has_expired_is_told_no_more() {
    let stage = Stage::start().await;
    let (route, _) = stage.deployed().await;
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    stage.ask("PUT", &format!("/levels/{route}"), r#"{"level":"warn","for_seconds":1}"#).await;
    told(&mut control, |observation| !observation.levels.is_empty()).await;
    told(&mut control, |observation| observation.version == 1 && observation.levels.is_empty()).await;
    assert_eq!(stage.handle.levels().await.unwrap(), []);
}

#[tokio::test]
async fn what_one_tron_was_asked_another_one_tells() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, store) = (Arc::new(Embedded::new()), Store::directory(dir.path()).unwrap());
    let [first, second] = [
        Stage::over(broker.clone(), store.clone(), AllowList::default()).await,
        Stage::over(broker.clone(), store, AllowList::default()).await,
    ];
    let path = format!("/levels/{}", first.deployed().await.0);
    assert_eq!(first.ask("PUT", &path, r#"{"level":"debug"}"#).await.status, 200);
    first.stop().await.unwrap();
    let mut control = broker.subscribe(Topic::Control).await.unwrap();
    assert_eq!(told(&mut control, |observation| observation.version == 1).await.levels.len(), 1);
    assert_eq!(second.ask("DELETE", &path, "").await.status, 204);
    assert_eq!(told(&mut control, |observation| observation.version == 2).await.levels, []);
}

#[tokio::test]
async fn a_level_is_for_a_route_that_is_there_and_for_a_bearable_time() {
    let stage = Stage::start().await;
    let (route, _) = stage.deployed().await;
    for (path, body, status) in [
        ("/levels/0123456789abcdef".to_owned(), r#"{"level":"debug"}"#, 404),
        (format!("/levels/{route}"), r#"{"level":"loud"}"#, 400),
        (format!("/levels/{route}"), r#"{"level":"debug","for_seconds":0}"#, 400),
        (format!("/levels/{route}"), r#"{"level":"debug","for_seconds":90000}"#, 400),
    ] {
        assert_eq!(stage.ask("PUT", &path, body).await.status, status, "{path} {body}");
    }
}
