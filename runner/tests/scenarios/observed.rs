//! What operators want to see of a route, on a runner that runs.

use std::time::Duration;

use wire::broker::Topic;
use wire::{Control, Level, Observation, RouteLevel, Stream, Timestamp, Version, encode_line};

use crate::harness::{Deployment, Harness, invoke, start, text};

const DOCUMENT: &str = r#"
openapi: 3.0.3
info: { title: t, version: "1" }
paths: { /: { get: { operationId: talk, responses: { "200": { description: ok } } } } }
"#;
const SOURCE: &str = "export function talk({ headers }) {
    console.log('DEBUG looked'); console.log('plain'); console.log('{\"level\":\"warn\"}');
    console.error('oops');
    return Date.now() && headers['x-funcatron-log-level'] || 'none';
}";

async fn tell(harness: &Harness, version: u64, level: Option<(Level, Timestamp)>) {
    let (route, by) = (harness.func.route.clone(), "me".to_owned());
    let levels = level.map(|(level, until)| RouteLevel { route, level, until, by }).into_iter().collect();
    let told = Control::Observation(Observation { v: Version, version, captures: Vec::new(), levels });
    harness.broker.broadcast(Topic::Control, encode_line(&told).unwrap()).await.unwrap();
}

/// Calls until the Func sees this level; then the lines of that call but the platform's, and those.
async fn lines(harness: &mut Harness, seen: &str) -> (Vec<(Level, String)>, Vec<(Level, String)>) {
    let patience = Timestamp::now().after(Duration::from_secs(20));
    loop {
        let mut call = invoke("GET", "/api/");
        call.headers.push(("x-funcatron-log-level".into(), "trace".into()));
        let answer = harness.call(call).await;
        let logs = harness.activation().await.logs;
        if text(&answer).contains(seen) {
            let (platform, own): (Vec<_>, Vec<_>) =
                logs.into_iter().partition(|line| line.stream == Stream::Platform);
            let pairs =
                |lines: Vec<wire::LogLine>| lines.into_iter().map(|line| (line.level, line.text)).collect();
            return (pairs(own), pairs(platform));
        }
        assert!(Timestamp::now() < patience, "{}", text(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_of_a_route_is_changed_while_it_runs() {
    let mut harness = start(Deployment::javascript(DOCUMENT, SOURCE)).await;
    let usual = || {
        let lines = [(Level::Info, "plain"), (Level::Warn, "{\"level\":\"warn\"}"), (Level::Error, "oops")];
        lines.map(|(level, text)| (level, text.to_owned())).to_vec()
    };
    assert_eq!(lines(&mut harness, "none").await, (usual(), Vec::new()));

    let later = Timestamp::now().after(Duration::from_secs(600));
    tell(&harness, 2, Some((Level::Debug, later))).await;
    let (own, platform) = lines(&mut harness, "debug").await;
    assert_eq!(own, [vec![(Level::Debug, "DEBUG looked".to_owned())], usual()].concat());
    assert!(platform.iter().all(|(level, _)| *level == Level::Debug));
    assert!(platform[0].1.starts_with("GET /api/ is talk, attempt 1, begun "), "{platform:?}");
    assert!(platform[1].1.starts_with("looked at a clock "), "{platform:?}");
    let ended = &platform.last().unwrap().1;
    assert!(
        ended.starts_with("answered with 200 after ") && ended.ends_with(" ms of a processor"),
        "{ended}"
    );

    // What is older comes too late.
    tell(&harness, 1, Some((Level::Error, later))).await;
    tell(&harness, 3, Some((Level::Warn, later))).await;
    assert_eq!(lines(&mut harness, "warn").await.0, usual()[1..]);

    tell(&harness, 4, None).await;
    assert_eq!(lines(&mut harness, "none").await, (usual(), Vec::new()));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_ends_though_nobody_says_so() {
    let mut harness = start(Deployment::javascript(DOCUMENT, SOURCE)).await;
    tell(&harness, 1, Some((Level::Error, Timestamp::now().after(Duration::from_secs(2))))).await;
    assert_eq!(lines(&mut harness, "error").await.0.len(), 1);
    assert_eq!(lines(&mut harness, "none").await.0.len(), 3);
    harness.stop().await;
}
