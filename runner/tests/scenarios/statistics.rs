//! What a runner says with its heartbeats about what it does.

use wire::{FuncStats, PoolName, RunnerReport};

use crate::harness::{Deployment, Harness, config, invoke, start, start_with};

/// The first report that says this of the Func.
async fn report(harness: &mut Harness, says: impl Fn(&FuncStats) -> bool) -> RunnerReport {
    loop {
        let report = harness.heartbeat(1).await.runner.unwrap();
        if report.funcs.get(&harness.queue).is_some_and(&says) {
            return report;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_queue() {
    let mut config = config();
    config.pool = Some(PoolName::parse("edge").unwrap());
    config.instance = Some("edge-1".into());
    config.labels = "gpu=true".parse().unwrap();
    (config.threads, config.funcs_max) = (2, Some(7));
    let mut harness = start_with(config, Deployment::of("tests/funcs/hostile")).await;
    harness.send(&[(); 3].map(|()| invoke("GET", "/api/polite"))).await;
    harness.send(&[invoke("GET", "/api/panic")]).await;
    let report = report(&mut harness, |stats| stats.service_us.count() == 4).await;
    assert_eq!(report.pool.unwrap().as_str(), "edge");
    assert_eq!((report.instance.as_deref(), report.labels.to_string()), (Some("edge-1"), "gpu=true".into()));
    assert_eq!((report.threads, report.slots, report.funcs_max), (2, 16, Some(7)));
    let stats = &report.funcs[&harness.queue];
    assert!(report.cpu_us > 0);
    assert_eq!((stats.arrivals, stats.deliveries, stats.failures), (4, 2, 1));
    assert_eq!((stats.in_flight, stats.waiting, stats.queue_us.count()), (0, 0, 4));
    assert!(stats.cpu_us > 0 && stats.busy_us >= stats.cpu_us, "{stats:?}");
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_run_and_calls_that_wait_are_told_apart() {
    let mut config = config();
    config.slots = 4;
    let mut harness = start_with(config, Deployment::of("tests/funcs/hostile")).await;
    harness.send(&[(); 5].map(|()| invoke("GET", "/api/sleep?seconds=20"))).await;
    let first = report(&mut harness, |stats| stats.in_flight == 3).await;
    let second = report(&mut harness, |stats| stats.waiting == 2).await;
    let busy = |report: &RunnerReport| report.funcs[&harness.queue].busy_us;
    assert!(busy(&second) > busy(&first), "room is counted while it is held");
    assert_eq!(second.funcs[&harness.queue].service_us.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_func_did_counts_on_when_it_is_loaded_anew() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    harness.get("/api/").await;
    let mut again = harness.func.clone();
    again.outbound = vec!["other.example".into()];
    harness.assign(1, vec![again]).await;
    harness.get("/api/").await;
    report(&mut harness, |stats| stats.arrivals == 2).await;
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_what_the_func_computed() {
    let mut harness = start(Deployment::of("tests/funcs/hostile")).await;
    harness.get("/api/sleep?seconds=1").await;
    let activation = harness.activation().await;
    assert!(activation.cpu_us > 0 && activation.cpu_us < activation.service_us / 2, "{activation:?}");
    harness.stop().await;
}
