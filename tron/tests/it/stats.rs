//! What the admin API says about what the platform does.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use wire::broker::{Message, Topic};
use wire::{Broker, FuncStats, Heartbeat, Histogram, MemberId, PoolName, PoolReport, Role, RunnerReport};

use crate::harness::{Stage, document, in_time, request};

/// A heartbeat of a runner that had done so many calls of 12 ms by then.
fn heartbeat(member: &MemberId, queue: &str, calls: u64) -> Heartbeat {
    let times = |micros| Histogram::from(vec![(micros, calls)]);
    let stats = FuncStats {
        arrivals: calls,
        deliveries: calls,
        failures: calls,
        compared: 0,
        different: 0,
        in_flight: 2,
        waiting: 1,
        queue_us: times(1_000),
        service_us: times(12_000),
        busy_us: calls * 12_000,
        cpu_us: calls * 3_000,
    };
    let report = RunnerReport {
        pool: Some(PoolName::parse("default").unwrap()),
        threads: 2,
        slots: 64,
        funcs: BTreeMap::from([(queue.to_owned(), stats)]),
        ..RunnerReport::default()
    };
    Heartbeat { runner: Some(report), ..Heartbeat::now(member.clone(), Role::Runner, 9) }
}

fn pools() -> Heartbeat {
    let pool = PoolReport {
        name: PoolName::parse("default").unwrap(),
        labels: wire::Labels::default(),
        substrate: "process".into(),
        runners_min: 1,
        runners_max: 3,
        wanted: 1,
        running: Some(1),
        ready: 1,
        why: "1 runner: it is the least".into(),
        alarm: Some("it does not start".into()),
        cost_per_hour: 36.0,
    };
    Heartbeat { pools: vec![pool], ..Heartbeat::now(MemberId::generate(Role::Tron), Role::Tron, 9) }
}

async fn say(stage: &Stage, heartbeat: &Heartbeat) {
    stage.broker.broadcast(Topic::Heartbeats, wire::encode_line(heartbeat).unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_runners_and_the_broker_say_is_told_by_route() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("Shop", 1)).await;
    let deployed = stage.handle.deploy(&request(&sha), "test").await.unwrap();
    let queue = format!("func.{}.{}", deployed.route, sha.short());
    stage.broker.publish(&queue, Message::new(Bytes::from_static(b"{}\n"))).await.unwrap();
    let member = MemberId::generate(Role::Runner);
    let told = async |calls: u64| {
        say(&stage, &heartbeat(&member, &queue, calls)).await;
        say(&stage, &pools()).await;
        tokio::task::yield_now().await;
        stage.ask("GET", "/stats", Bytes::new()).await.json()
    };
    let stats: Value = in_time(async {
        for calls in 1.. {
            let stats = told(calls * 10).await;
            let route = &stats["routes"][0];
            if route["rate"].as_f64() > Some(0.0) && route["queued"] == 1 && stats["pools"][0].is_object() {
                return stats;
            }
        }
        unreachable!("it is told in time")
    })
    .await;
    let route = &stats["routes"][0];
    assert_eq!((&route["title"], &route["base_path"]), (&"Shop".into(), &"/a".into()), "{stats}");
    assert_eq!(
        (&route["in_flight"], &route["waiting"], &route["runners"]),
        (&2.into(), &1.into(), &1.into())
    );
    let is_about = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() <= wanted * 0.07;
    assert!(
        is_about(&route["service_ms"]["p50"], 12.0) && is_about(&route["queue_ms"]["p99"], 1.0),
        "{route}"
    );
    assert!(is_about(&route["cpu_ms"], 3.0), "{route}");
    let (rate, cost) = (route["rate"].as_f64().unwrap(), &route["cost_per_call"]);
    assert!(is_about(cost, 0.01 / rate), "the whole runner was there for it: {route}");
    assert_eq!(stats["pools"][0]["why"], "1 runner: it is the least");
    assert_eq!(stats["alarms"][0], "pool default: it does not start");
}

#[tokio::test]
async fn a_runner_that_is_gone_is_not_told_of() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("Shop", 1)).await;
    let deployed = stage.handle.deploy(&request(&sha), "test").await.unwrap();
    let queue = format!("func.{}.{}", deployed.route, sha.short());
    let member = MemberId::generate(Role::Runner);
    let runners =
        async || stage.ask("GET", "/stats", Bytes::new()).await.json()["routes"][0]["runners"].clone();
    in_time(async {
        while runners().await != 1 {
            say(&stage, &heartbeat(&member, &queue, 1)).await;
        }
        while runners().await != 0 {}
    })
    .await;
}
