//! Deploying, as members and operators see it.

use wire::admin::{DeployRequest, RollbackRequest};
use wire::broker::{DEAD_REQUESTS, Embedded, Message, REQUESTS, RETRIES, Topic};
use wire::egress::AllowList;
use wire::{ActivationId, Assignment, Broker, BundleSha, Percent, ProblemKind, RouteId, Store, Trial};

use crate::harness::{Runner, Stage, assignment, document, in_time, invoke, request};

/// The first assignment heard that is as `wanted`.
async fn assigned(
    control: &mut wire::broker::Subscription,
    wanted: impl Fn(&[&BundleSha]) -> bool,
) -> Assignment {
    in_time(async {
        loop {
            let Some(assignment) = assignment(control.next().await.unwrap()) else { continue };
            let shas: Vec<&BundleSha> = assignment.funcs.iter().map(|func| &func.sha).collect();
            if wanted(&shas) {
                return assignment;
            }
        }
    })
    .await
}

/// Waits until the queue is deleted.
async fn gone(broker: &Embedded, queue: &str) {
    while broker.depth(queue).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

fn queue(route: &RouteId, sha: &BundleSha) -> String {
    format!("func.{route}.{}", sha.short())
}

#[tokio::test]
async fn a_deployment_is_ready_when_a_runner_holds_it() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    let alone = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert_eq!((alone.ready, alone.failure), (false, None));
    let _runner = Runner::start(&stage.broker, None).await;
    let served = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert!(served.ready);
    assert_eq!(served.deployment.number, 1, "nothing changed, so nothing is logged");
    assert!(served.unchanged && !alone.unchanged);
}

/// A bundle that gets this share of the calls, and has to prove itself.
fn on_trial(sha: &BundleSha, weight: u32) -> DeployRequest {
    let trial = Trial {
        mirror: Percent::ALL,
        failures_max: Percent::ONE,
        differences_max: Percent::NONE,
        calls_min: 20,
        began: 0,
    };
    DeployRequest { weight: Some(weight), trial: Some(trial), ..request(sha) }
}

#[tokio::test]
async fn a_bundle_on_trial_that_no_runner_can_load_is_off_its_route_at_once() {
    let stage = Stage::start().await;
    let [old, new] = [stage.upload(&document("A", 1)).await, stage.upload(&document("A", 2)).await];
    stage.handle.deploy(&request(&old), "admin").await.unwrap();
    let _runner = Runner::start(&stage.broker, Some("no memory")).await;
    for weight in [10, 0] {
        let tried = stage.handle.deploy(&on_trial(&new, weight), "admin").await.unwrap();
        assert_eq!((tried.ready, tried.failure.as_deref()), (false, Some("no memory")));
        let routes = stage.handle.routes().await.unwrap();
        let bundles: Vec<_> = routes[0].bundles.iter().map(|bundle| (&bundle.sha, bundle.weight)).collect();
        assert_eq!(bundles, [(&old, 100)]);
        let last = &stage.handle.history().await.unwrap()[0];
        assert!(
            last.by == "trial" && last.action.ends_with("no runner could load it: no memory"),
            "{last:?}"
        );
        assert_eq!(stage.handle.health().deployment, last.number, "calls are dispatched by it");
    }
}

#[tokio::test]
async fn a_bundle_on_trial_that_no_runner_can_load_any_more_goes_as_well() {
    let stage = Stage::start().await;
    let [old, new] = [stage.upload(&document("A", 1)).await, stage.upload(&document("A", 2)).await];
    stage.handle.deploy(&request(&old), "admin").await.unwrap();
    // Nobody is there yet to say whether it can be loaded.
    let tried = stage.handle.deploy(&on_trial(&new, 10), "admin").await.unwrap();
    assert_eq!((tried.ready, tried.failure), (false, None));
    assert_eq!(stage.handle.routes().await.unwrap()[0].bundles.len(), 2);
    let _runner = Runner::start(&stage.broker, Some("no memory")).await;
    in_time(async {
        while stage.handle.routes().await.unwrap()[0].bundles.len() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stage.handle.history().await.unwrap()[0].by, "trial");
}

/// Sends a call to `/a`; how many wait in this queue then.
async fn call(stage: &Stage, queue: &str) -> usize {
    let line = wire::encode_line(&invoke(ActivationId::generate())).unwrap();
    stage.broker.publish(REQUESTS, Message::new(line).persistent()).await.unwrap();
    tokio::task::yield_now().await;
    stage.broker.depth(queue).await.map_or(0, |depth| depth.ready)
}

#[tokio::test]
async fn a_bundle_on_trial_gets_calls_once_a_runner_has_loaded_it() {
    let stage = Stage::start().await;
    let [old, new] = [stage.upload(&document("A", 1)).await, stage.upload(&document("A", 2)).await];
    let route = stage.handle.deploy(&request(&old), "admin").await.unwrap().route;
    let (canary, tried) = (queue(&route, &new), on_trial(&new, 99));
    let runner = Runner::start(&stage.broker, Some("no memory")).await;
    let calling = async {
        while stage.handle.history().await.unwrap()[0].by != "trial" {
            assert_eq!(call(&stage, &canary).await, 0);
        }
    };
    let (deployed, ()) = in_time(async { tokio::join!(stage.handle.deploy(&tried, "admin"), calling) }).await;
    assert_eq!(deployed.unwrap().failure.as_deref(), Some("no memory"));

    drop(runner);
    let _runner = Runner::start(&stage.broker, None).await;
    assert!(stage.handle.deploy(&tried, "admin").await.unwrap().ready);
    in_time(async { while call(&stage, &canary).await == 0 {} }).await;
}

#[tokio::test]
async fn a_failure_to_load_is_told() {
    let stage = Stage::start().await;
    let _runner = Runner::start(&stage.broker, Some("no memory")).await;
    let sha = stage.upload(&document("A", 1)).await;
    let deployed = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert_eq!((deployed.ready, deployed.failure.as_deref()), (false, Some("no memory")));
}

#[tokio::test]
async fn what_could_not_be_loaded_is_tried_again_when_it_is_deployed_again() {
    let stage = Stage::start().await;
    let _runner = Runner::failing(&stage.broker, Some("damaged"), 2).await;
    let sha = stage.upload(&document("A", 1)).await;
    assert_eq!(
        stage.handle.deploy(&request(&sha), "admin").await.unwrap().failure.as_deref(),
        Some("damaged")
    );
    let again = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert_eq!((again.ready, again.deployment.number), (true, 2));
}

#[tokio::test]
async fn a_replaced_bundle_is_assigned_until_its_last_call_is_answered() {
    let stage = Stage::start().await;
    let old = stage.upload(&document("A", 1)).await;
    let new = stage.upload(&document("A", 2)).await;
    let route = stage.handle.deploy(&request(&old), "admin").await.unwrap().route;
    let waiting = queue(&route, &old);
    stage.broker.publish(&waiting, Message::new("{}\n".into())).await.unwrap();
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    stage.handle.deploy(&request(&new), "admin").await.unwrap();
    let both = assigned(&mut control, |shas| shas.contains(&&new)).await;
    assert_eq!(both.funcs.len(), 2);
    assert_eq!(stage.handle.delete_bundle(&old).await.unwrap_err().kind(), ProblemKind::Conflict);

    let mut calls = stage.broker.consume(&waiting, 1).await.unwrap();
    in_time(calls.next()).await.unwrap().ack();
    let one = assigned(&mut control, |shas| shas == [&new]).await;
    assert_eq!(one.version, both.version);
    assert!(stage.broker.depth(&waiting).await.is_ok(), "somebody still consumes it");
    drop(calls);
    in_time(gone(&stage.broker, &waiting)).await;
}

#[tokio::test]
async fn a_member_that_comes_late_is_told_the_whole_state() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    let mut control = stage.broker.subscribe(Topic::Control).await.unwrap();
    let _runner = Runner::start(&stage.broker, None).await;
    assert_eq!(assigned(&mut control, |shas| !shas.is_empty()).await.funcs.len(), 1);
}

#[tokio::test]
async fn the_state_outlives_tron_and_its_queues_are_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::directory(dir.path()).unwrap();
    let stage = Stage::on(store.clone()).await;
    let sha = stage.upload(&document("A", 1)).await;
    let route = stage.handle.deploy(&request(&sha), "admin").await.unwrap().route;
    drop(stage);

    let stage = Stage::on(store).await;
    let _runner = Runner::start(&stage.broker, None).await;
    let again = stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert!(again.ready);
    let depth = stage.broker.depth(&queue(&route, &sha)).await.unwrap();
    assert_eq!((depth.ready, depth.consumers), (0, 0));
}

#[tokio::test]
async fn a_corrupt_entry_is_passed_over_and_the_log_goes_on_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::directory(dir.path()).unwrap();
    let stage = Stage::on(store.clone()).await;
    let sha = stage.upload(&document("A", 1)).await;
    stage.handle.deploy(&request(&sha), "admin").await.unwrap();
    drop(stage);
    let entry = dir.path().join("deployments").join(format!("{:020}.json", 2));
    std::fs::write(entry, b"{\"number\":2,").unwrap();

    let stage = Stage::on(store).await;
    assert_eq!(stage.handle.routes().await.unwrap().len(), 1);
    let sha = stage.upload(&document("A", 2)).await;
    assert_eq!(stage.handle.deploy(&request(&sha), "admin").await.unwrap().deployment.number, 3);
    let numbers: Vec<u64> = stage.handle.history().await.unwrap().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [3, 1]);
}

#[tokio::test]
async fn two_trons_on_one_store_lose_no_change_and_agree() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::directory(dir.path()).unwrap();
    let (one, two) = (Stage::on(store.clone()).await, Stage::on(store).await);
    let sha = one.upload(&document("A", 1)).await;
    let at = |path: &str| wire::admin::DeployRequest { base_path: Some(path.into()), ..request(&sha) };
    let (left, right) = (at("/left"), at("/right"));
    let (left, right) = tokio::join!(one.handle.deploy(&left, "one"), two.handle.deploy(&right, "two"));
    let numbers = [left.unwrap().deployment.number, right.unwrap().deployment.number];
    assert!(numbers == [1, 2] || numbers == [2, 1], "{numbers:?}");
    for stage in [one, two] {
        let mut members = stage.broker.subscribe(Topic::Control).await.unwrap();
        let both = assigned(&mut members, |shas| shas.len() == 2).await;
        assert_eq!(both.funcs.len(), 2);
        assert_eq!(stage.handle.routes().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_one_tron_deploys_the_other_dispatches_before_the_operator_is_told() {
    let one = Stage::start().await;
    let two = Stage::over(one.broker.clone(), one.store.clone(), AllowList::default()).await;
    in_time(async {
        while one.handle.members().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut control = one.broker.subscribe(Topic::Control).await.unwrap();
    let sha = one.upload(&document("A", 1)).await;
    one.handle.deploy(&request(&sha), "admin").await.unwrap();
    assert_eq!(two.handle.health().deployment, 1);
    one.stop().await.unwrap();
    let told = assigned(&mut control, |shas| shas == [&sha]).await;
    assert_eq!(told.version, 1);
    assert_eq!(assigned(&mut control, |shas| shas == [&sha]).await, told, "both Trons say the same");
}

#[tokio::test]
async fn a_new_tron_finds_the_calls_of_a_bundle_that_was_replaced_before_it_came() {
    let first = Stage::start().await;
    let [old, new] = [first.upload(&document("A", 1)).await, first.upload(&document("A", 2)).await];
    let route = first.handle.deploy(&request(&old), "admin").await.unwrap().route;
    let waiting = queue(&route, &old);
    first.broker.publish(&waiting, Message::new("{}\n".into())).await.unwrap();
    first.handle.deploy(&request(&new), "admin").await.unwrap();
    let (broker, store) = (first.broker.clone(), first.store.clone());
    let mut control = broker.subscribe(Topic::Control).await.unwrap();
    let kept = first.retire().await;

    let second = Stage::over(broker, store, AllowList::default()).await;
    let both = assigned(&mut control, |shas| shas == [&new, &old]).await;
    assert_eq!(both.funcs.iter().map(|func| func.draining).collect::<Vec<_>>(), [false, true]);
    let mut calls = second.broker.consume(&waiting, 1).await.unwrap();
    in_time(calls.next()).await.unwrap().ack();
    drop(calls);
    in_time(gone(&second.broker, &waiting)).await;
    assigned(&mut control, |shas| shas == [&new]).await;
    drop(kept);
}

#[tokio::test]
async fn queues_that_were_taken_away_are_declared_again() {
    let stage = Stage::start().await;
    let sha = stage.upload(&document("A", 1)).await;
    let route = stage.handle.deploy(&request(&sha), "admin").await.unwrap().route;
    for queue in [&queue(&route, &sha), RETRIES, DEAD_REQUESTS] {
        stage.broker.delete(queue).await.unwrap();
        in_time(async {
            while stage.broker.depth(queue).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_rollback_brings_back_what_was_and_can_be_rolled_back() {
    let stage = Stage::start().await;
    let [one, two] = [stage.upload(&document("A", 1)).await, stage.upload(&document("A", 2)).await];
    stage.handle.deploy(&request(&one), "admin").await.unwrap();
    stage.handle.deploy(&request(&two), "admin").await.unwrap();
    for expected in [&one, &two] {
        stage.handle.rollback(&RollbackRequest { to: None }, "admin").await.unwrap();
        let routes = stage.handle.routes().await.unwrap();
        assert_eq!(routes.first().unwrap().bundles.first().unwrap().sha, *expected);
    }
    let missing = stage.handle.rollback(&RollbackRequest { to: Some(99) }, "admin").await.unwrap_err();
    assert_eq!(missing.kind(), ProblemKind::NotFound);
}

#[tokio::test]
async fn a_rollback_to_a_bundle_that_is_gone_is_refused() {
    let stage = Stage::start().await;
    let [one, two] = [stage.upload(&document("A", 1)).await, stage.upload(&document("A", 2)).await];
    stage.handle.deploy(&request(&one), "admin").await.unwrap();
    stage.handle.deploy(&request(&two), "admin").await.unwrap();
    stage.store.delete_bundle(&one).await.unwrap();
    // A second Tron, which has not read the bundle before.
    let fresh = Stage::on(stage.store.clone()).await;
    let refused = fresh.handle.rollback(&RollbackRequest { to: Some(1) }, "admin").await.unwrap_err();
    assert_eq!(refused.kind(), ProblemKind::Conflict);
}

#[tokio::test]
async fn tron_stops_when_it_is_told_to() {
    let stage = Stage::start().await;
    stage.upload(&document("A", 1)).await;
    stage.stop().await.unwrap();
}
