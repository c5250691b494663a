//! Assignments: what a runner makes of them, and what it says about it.

use std::time::Duration;

use wire::broker::{Depth, Queue};
use wire::{FuncAssignment, MemberId, Role, encode_line};

use crate::harness::{Deployment, begin, config, invoke, start, start_with};

#[tokio::test(flavor = "multi_thread")]
async fn code_that_cannot_be_loaded_is_reported() {
    let document = std::fs::read(crate::harness::root().join("funcs/hello-rust/funcatron.yaml")).unwrap();
    let core_module = wire::bundle::Code::Wasm(b"\0asm\x01\0\0\0".to_vec().into());
    let mut harness = begin(config(), Deployment::new(&document, core_module)).await;
    let heartbeat = harness.heartbeat(1).await;
    let reason = &heartbeat.failed[&harness.queue];
    assert!(reason.contains("is a core module"), "{reason}");
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_func_that_is_no_longer_assigned_is_no_longer_consumed() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    assert_eq!(harness.get("/api/").await.status, 200);
    harness.assign(0, Vec::new()).await;
    assert_eq!(harness.get("/api/").await.status, 200, "an older version changes nothing");
    harness.assign(2, Vec::new()).await;
    harness.heartbeat(2).await;
    while harness.broker.depth(&harness.queue).await.unwrap().consumers > 0 {
        tokio::task::yield_now().await;
    }
    harness.send(&[invoke("GET", "/api/")]).await;
    let depth = harness.broker.depth(&harness.queue).await.unwrap();
    assert_eq!(depth, Depth { ready: 1, unsettled: Some(0), ..Depth::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_func_that_asks_for_what_we_have_and_names_us_is_consumed() {
    let mut config = config();
    config.labels = "gpu=true,zone=a".parse().unwrap();
    let us = config.member.clone();
    let mut harness = start_with(config, Deployment::of("funcs/hello-rust")).await;
    let other = MemberId::generate(Role::Runner);
    for (placement, on, ours) in [
        ("gpu=true,disk=ssd", None, false),
        ("gpu=true", None, true),
        ("", Some(vec![other.clone()]), false),
        ("", Some(vec![other, us.clone()]), true),
        ("zone=b", Some(vec![us.clone()]), false),
        ("zone=a", Some(vec![us]), true),
    ] {
        let placement = placement.parse().unwrap();
        harness.assign(1, vec![FuncAssignment { placement, on, ..harness.func.clone() }]).await;
        while (harness.broker.depth(&harness.queue).await.unwrap().consumers > 0) != ours {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(harness.get("/api/").await.status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_funcs_than_it_can_hold_are_not_meant_for_a_runner() {
    let mut config = config();
    config.funcs_max = Some(1);
    let mut harness = start_with(config, Deployment::of("funcs/hello-rust")).await;
    let other = FuncAssignment { queue: "func.other".into(), ..harness.func.clone() };
    harness.assign(2, vec![other.clone(), harness.func.clone()]).await;
    assert_eq!(harness.get("/api/").await.status, 200, "it holds what it held");
    let other = FuncAssignment { on: Some(Vec::new()), ..other };
    harness.assign(2, vec![other, harness.func.clone()]).await;
    harness.heartbeat(2).await;
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_version_the_assignment_that_came_last_holds() {
    let harness = start(Deployment::of("funcs/hello-rust")).await;
    harness.assign(1, Vec::new()).await;
    while harness.broker.depth(&harness.queue).await.unwrap().consumers > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_queue_is_consumed_while_it_is_there_and_never_declared() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    harness.assign(2, vec![FuncAssignment { draining: true, ..harness.func.clone() }]).await;
    harness.heartbeat(2).await;
    assert_eq!(harness.get("/api/").await.status, 200);
    harness.broker.delete(&harness.queue).await.unwrap();
    // Its consumers look for it again within a second.
    for _ in 0..2 {
        harness.heartbeat(2).await;
    }
    assert!(harness.broker.depth(&harness.queue).await.is_err());
    harness.assign(3, vec![harness.func.clone()]).await;
    harness.heartbeat(3).await;
    assert_eq!(harness.get("/api/").await.status, 200, "it is wanted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_runner_answers_what_it_has_begun() {
    let mut config = config();
    config.threads = 2;
    let mut harness = crate::harness::start_with(config, Deployment::of("tests/funcs/hostile")).await;
    harness.send(&[invoke("GET", "/api/sleep?seconds=1")]).await;
    while harness.broker.depth(&harness.queue).await.unwrap().unsettled == Some(0) {
        tokio::task::yield_now().await;
    }
    harness.shut_down().await;
    assert_eq!(harness.answer().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_runner_says_so_before_its_calls_are_done() {
    let mut harness = start(Deployment::of("tests/funcs/hostile")).await;
    harness.send(&[invoke("GET", "/api/sleep?seconds=1")]).await;
    while harness.broker.depth(&harness.queue).await.unwrap().unsettled == Some(0) {
        tokio::task::yield_now().await;
    }
    harness.tell_to_stop();
    while !harness.heartbeat(1).await.leaving {}
    assert_eq!(harness.broker.depth(&harness.queue).await.unwrap().unsettled, Some(1), "it is busy still");
    assert_eq!(harness.answer().await.status, 200);
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_says_what_it_is() {
    let mut config = config();
    config.labels = "gpu=true,zone=a".parse().unwrap();
    (config.threads, config.funcs_max) = (2, Some(7));
    let mut harness = start_with(config, Deployment::of("funcs/hello-rust")).await;
    let report = harness.heartbeat(1).await.runner.unwrap();
    assert_eq!(report.labels.to_string(), "gpu=true,zone=a");
    assert_eq!((report.threads, report.slots, report.funcs_max), (2, 16, Some(7)));
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_nobody_can_read_is_given_up() {
    let harness = start(Deployment::of("funcs/hello-rust")).await;
    harness.send_raw("{\"v\":2}\n").await;
    let empty = Depth { unsettled: Some(0), consumers: 1, ..Depth::default() };
    while harness.broker.depth(&harness.queue).await.unwrap() != empty {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_cut_off_and_finds_no_room_is_answered_once() {
    let mut harness = start(Deployment::of("funcs/hello-js")).await;
    harness.assign(2, Vec::new()).await;
    while harness.broker.depth(&harness.queue).await.unwrap().consumers > 0 {
        tokio::task::yield_now().await;
    }
    // Without its line break the call fits into the queue; put back with one, it does not.
    let mut line = encode_line(&invoke("GET", "/api/ada")).unwrap();
    line.truncate(line.len() - 1);
    let dead = format!("dead.{}", harness.func.route);
    let (name, dead_letter) = (harness.queue.clone(), Some(dead.clone()));
    harness.broker.delete(&harness.queue).await.unwrap();
    let tight =
        Queue { name, len_max: 10, bytes_max: line.len(), dead_letter, private: false, single_active: false };
    harness.broker.declare(&tight).await.unwrap();
    harness.send_raw(line).await;
    let mut dying = harness.broker.consume(&harness.queue, 1).await.unwrap();
    let unfinished = dying.next().await.unwrap();
    drop((unfinished, dying));
    harness.assign(3, vec![harness.func.clone()]).await;
    let answer = harness.answer().await;
    assert_eq!((answer.status, answer.attempt), (502, 1), "it was begun once");
    // It is settled when all of that is done.
    while harness.broker.depth(&harness.queue).await.unwrap().unsettled != Some(0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(harness.broker.depth(&harness.queue).await.unwrap().ready, 0);
    assert_eq!(harness.broker.depth(&dead).await.unwrap().ready, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_is_heard_of_again_before_it_is_forgotten() {
    let mut harness = start(Deployment::of("funcs/hello-rust")).await;
    let again = tokio::time::timeout(Duration::from_secs(3), harness.heartbeat(1)).await;
    assert!(again.is_ok());
    harness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_is_heard_of_while_it_compiles_and_turns_to_what_is_newer() {
    let folder = tempfile::tempdir().unwrap();
    let stuck = folder.path().join("compile");
    std::fs::write(&stuck, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&stuck, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut config = config();
    (config.compiler, config.cache_dir) = (stuck, folder.path().join("cache"));
    let mut harness = begin(config, Deployment::of("funcs/hello-rust")).await;
    for _ in 0..2 {
        harness.heartbeat(0).await;
    }
    harness.assign(2, Vec::new()).await;
    assert!(harness.heartbeat(2).await.failed.is_empty());
    harness.stop().await;
}
