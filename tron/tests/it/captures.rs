//! Calls that are captured: from the queue into the store, out of it as a file, and back.

mod keeping;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use wire::admin::{CaptureInfo, CaptureState};
use wire::broker::{Embedded, Message, Topic};
use wire::capture::{CaptureEntry, CaptureHeader, Drawn};
use wire::egress::AllowList;
use wire::{
    ActivationId, Answer, Body, Broker, CaptureId, Heartbeat, Invoke, MemberId, Role, RunnerReport, Store,
    Timestamp, Version, encode_line,
};

use crate::harness::{self, Stage, in_time, invoke};

async fn started(stage: &Stage, more: Value) -> CaptureInfo {
    let mut asked = json!({"route": stage.deployed().await.0});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = stage.ask("POST", "/captures", asked.to_string()).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    serde_json::from_slice(&reply.body).unwrap()
}

/// A call that was accepted at this moment, with this body both ways.
fn entry(at: u64, body: Body) -> CaptureEntry {
    let activation = ActivationId::generate();
    let invoke = Invoke { at: Timestamp(at), body: body.clone(), ..invoke(activation) };
    let answer = Answer {
        v: Version,
        id: invoke.id.clone(),
        activation,
        attempt: 1,
        bundle: None,
        status: 200,
        headers: vec![("x".into(), "1".into()), ("x".into(), "2".into())],
        body,
        part: 0,
        more: false,
    };
    let activation = harness::activation(&invoke);
    CaptureEntry { v: Version, invoke, answer, activation, drawn: Drawn::default(), redacted: Vec::new() }
}

fn text(at: u64) -> CaptureEntry {
    entry(at, Body::from(format!("call {at}").into_bytes()))
}

async fn publish(broker: &Embedded, id: &CaptureId, entries: &[CaptureEntry]) {
    let payload: Bytes = entries.iter().flat_map(|entry| encode_line(entry).unwrap()).collect();
    broker.publish(&format!("capture.{id}"), Message::new(payload)).await.unwrap();
}

/// The file, read as anybody can.
async fn exported(stage: &Stage, id: &CaptureId) -> (CaptureHeader, Vec<CaptureEntry>) {
    let reply = stage.ask("GET", &format!("/captures/{id}/export"), "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
    let mut lines = wire::split_lines(&reply.body);
    let header = wire::decode_line(&lines.next().unwrap()).unwrap();
    (header, lines.map(|line| wire::decode_line(&line).unwrap()).collect())
}

async fn until(stage: &Stage, id: &CaptureId, is_wanted: impl Fn(&CaptureInfo) -> bool) -> CaptureInfo {
    let mut activity = stage.broker.subscribe(Topic::Heartbeats).await.unwrap();
    let wanted = async {
        loop {
            let info = stage.handle.capture(id).await.unwrap();
            if is_wanted(&info) {
                return info;
            }
            // Each of Tron's own heartbeats is a reason to look again.
            activity.next().await;
        }
    };
    in_time(wanted).await
}

#[tokio::test]
async fn what_runners_hand_over_is_exported_in_the_order_in_which_it_was_accepted() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, state, .. } =
        started(&stage, json!({"sample": 50, "filters": ["status>=200"]})).await;
    assert_eq!((state, capture.sample.to_string().as_str()), (CaptureState::Running, "50%"));
    let entries = [text(3), text(1), entry(2, Body::from(vec![0xff, 0])), entry(4, Body::EMPTY)];
    publish(&stage.broker, &capture.id, &entries[..2]).await;
    // What a Tron did not live to settle comes twice.
    publish(&stage.broker, &capture.id, &entries[1..]).await;
    let stopped = stage.ask("POST", &format!("/captures/{}/stop", capture.id), "").await.json();
    assert_eq!(stopped["state"], "stopped");
    let (header, calls) = exported(&stage, &capture.id).await;
    assert_eq!((header.entries, header.host.as_str(), header.base_path.as_str()), (4, "*", "/a"));
    let [third, first, second, fourth] = entries;
    assert_eq!(calls, [first, second, third, fourth]);
    assert_eq!(stage.ask("POST", &format!("/captures/{}/stop", capture.id), "").await.status, 409);
}

#[tokio::test]
async fn each_time_that_a_call_was_begun_anew_is_exported() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    let first = text(1);
    let again = CaptureEntry { invoke: Invoke { retry: 1, ..first.invoke.clone() }, ..first.clone() };
    publish(&stage.broker, &capture.id, &[again.clone(), first.clone(), again.clone()]).await;
    until(&stage, &capture.id, |info| info.entries == 3).await;
    assert_eq!(exported(&stage, &capture.id).await.1, [first, again]);
}

#[tokio::test]
async fn bodies_out_of_the_store_are_in_the_file_and_leave_it_again_on_the_way_back() {
    let stage = Stage::start().await;
    let bytes = Bytes::from([vec![0xff; 700_000], vec![b'a'; 700_000]].concat());
    let mut upload = stage.store.upload();
    upload.push(&bytes).await.unwrap();
    let stored = Body::Stored(upload.finish().await.unwrap());
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    publish(&stage.broker, &capture.id, &[entry(1, stored.clone())]).await;
    let info = until(&stage, &capture.id, |info| info.entries == 1).await;
    assert!(info.bytes < 10_000, "{}", info.bytes);
    let file = stage.ask("GET", &format!("/captures/{}/export", capture.id), "").await.body;
    let (_, calls) = exported(&stage, &capture.id).await;
    assert_eq!([&calls[0].invoke.body, &calls[0].answer.body], [&Body::Inline(bytes.clone()); 2]);
    let headers = [
        ("authorization", format!("Bearer {}", crate::harness::TOKEN)),
        ("content-type", "application/x-ndjson".to_owned()),
    ];
    let reply =
        crate::harness::Reply::read(stage.send("POST", "/captures/import", &headers, file).await).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    let imported: CaptureInfo = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((imported.state, imported.entries), (CaptureState::Imported, 1));
    assert!(imported.bytes < 10_000 && imported.capture.id != capture.id, "{imported:?}");
    let (header, again) = exported(&stage, &imported.capture.id).await;
    assert_eq!((again, header.capture.from), (calls, capture.from));
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_and_nothing_of_it_stays() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    publish(&stage.broker, &capture.id, &[text(1)]).await;
    until(&stage, &capture.id, |info| info.entries == 1).await;
    let file = stage.ask("GET", &format!("/captures/{}/export", capture.id), "").await.body;
    let header = wire::split_lines(&file).next().unwrap();
    let headers = [
        ("authorization", format!("Bearer {}", crate::harness::TOKEN)),
        ("content-type", "application/x-ndjson".to_owned()),
    ];
    for (bad, reason) in [
        (Bytes::new(), "the file is empty"),
        (Bytes::from("{}\n"), "line 1 is not the header"),
        (header.clone(), "it has 0"),
        ([&header[..], b"\n{\"v\":1}\n"].concat().into(), "line 2 is no captured call"),
    ] {
        let reply =
            crate::harness::Reply::read(stage.send("POST", "/captures/import", &headers, bad).await).await;
        assert_eq!(reply.status, 400);
        assert!(reply.json()["detail"].as_str().unwrap().contains(reason), "{}", reply.json());
    }
    assert_eq!(stage.ask("GET", "/captures", "").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_capture_ends_when_it_is_full_and_never_has_more_than_it_may() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({"bytes_max": 5_000})).await;
    for at in 0..9 {
        publish(&stage.broker, &capture.id, &[text(at)]).await;
    }
    let full = until(&stage, &capture.id, |info| info.state == CaptureState::Full).await;
    assert!(full.entries > 0 && full.bytes <= 5_000, "{full:?}");
    assert_eq!(exported(&stage, &capture.id).await.0.entries, full.entries);
}

/// Until the queue of a capture is gone.
async fn until_taken_in(stage: &Stage, queue: &str) {
    let mut activity = stage.broker.subscribe(Topic::Heartbeats).await.unwrap();
    let gone = async {
        while stage.broker.depth(queue).await.is_ok() {
            activity.next().await;
        }
    };
    in_time(gone).await;
}

#[tokio::test]
async fn a_capture_that_is_over_loses_its_queue_when_that_is_empty() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({"for_seconds": 1})).await;
    until(&stage, &capture.id, |info| info.state == CaptureState::Expired).await;
    publish(&stage.broker, &capture.id, &[text(1)]).await;
    until_taken_in(&stage, &capture.queue()).await;
    assert_eq!(stage.handle.capture(&capture.id).await.unwrap().entries, 1);
}

#[tokio::test]
async fn what_runners_had_no_room_for_is_counted() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    for missed in [2, 3] {
        for runner in ["runner-a", "runner-b"] {
            tell_missed(&stage, runner, &capture.id, missed).await;
        }
    }
    until(&stage, &capture.id, |info| info.missed == 6).await;
    assert_eq!(exported(&stage, &capture.id).await.0.missed, 6);
}

async fn tell_missed(stage: &Stage, runner: &str, capture: &CaptureId, missed: u64) {
    let captures = BTreeMap::from([(capture.clone(), missed), (CaptureId::generate(), 9)]);
    let report = RunnerReport { captures, ..RunnerReport::default() };
    let heartbeat = Heartbeat::now(MemberId::parse(runner).unwrap(), Role::Runner, 1);
    let heartbeat = Heartbeat { runner: Some(report), ..heartbeat };
    stage.broker.broadcast(Topic::Heartbeats, encode_line(&heartbeat).unwrap()).await.unwrap();
}

#[tokio::test]
async fn calls_that_ended_long_after_their_capture_are_counted_as_missed() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({"for_seconds": 1})).await;
    until_taken_in(&stage, &capture.queue()).await;
    tell_missed(&stage, "runner-a", &capture.id, 1).await;
    until(&stage, &capture.id, |info| info.missed == 1).await;
}

#[tokio::test]
async fn two_trons_take_in_one_capture_and_the_next_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, store) = (Arc::new(Embedded::new()), Store::directory(dir.path()).unwrap());
    let [first, second] = [
        Stage::over(broker.clone(), store.clone(), AllowList::default()).await,
        Stage::over(broker.clone(), store.clone(), AllowList::default()).await,
    ];
    let CaptureInfo { capture, .. } = started(&first, json!({})).await;
    for at in 0..20 {
        publish(&broker, &capture.id, &[text(at)]).await;
    }
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    publish(&broker, &capture.id, &[text(20)]).await;
    let third = Stage::over(broker.clone(), store, AllowList::default()).await;
    until(&third, &capture.id, |info| info.entries == 21).await;
    let (header, calls) = exported(&third, &capture.id).await;
    assert_eq!(header.entries, 21);
    assert!(calls.iter().map(|call| call.invoke.at.0).eq(0..21));
}

#[tokio::test]
async fn what_is_removed_or_too_old_is_gone() {
    let stage = Stage::start().await;
    let CaptureInfo { capture: removed, .. } = started(&stage, json!({})).await;
    publish(&stage.broker, &removed.id, &[text(1)]).await;
    until(&stage, &removed.id, |info| info.entries == 1).await;
    let path = format!("/captures/{}", removed.id);
    assert_eq!(stage.ask("DELETE", &path, "").await.status, 204);
    for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/export"))]
    {
        assert_eq!(stage.ask(method, &path, "").await.status, 404, "{method} {path}");
    }
    started(&stage, json!({"for_seconds": 1, "keep_seconds": 1})).await;
    let mut activity = stage.broker.subscribe(Topic::Heartbeats).await.unwrap();
    let swept = async {
        while !stage.store.captures().await.unwrap().is_empty() {
            activity.next().await;
        }
    };
    in_time(swept).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_said() {
    let stage = Stage::start().await;
    let (route, _) = stage.deployed().await;
    for (body, status, reason) in [
        (json!({"route": "0123456789abcdef"}), 404, "there is no route"),
        (json!({"route": route, "filters": ["colour=red"]}), 400, "is no filter"),
        (json!({"route": route, "sample": 0}), 400, "sample"),
        (json!({"route": route, "sample": 1e-320}), 400, "0.0001%"),
        (
            json!({"route": route, "for_seconds": 100_000, "keep_seconds": 10}),
            422,
            "at least as long as it runs",
        ),
        (json!({"route": route, "bytes_max": 1_u64 << 40}), 422, "at most"),
    ] {
        let reply = stage.ask("POST", "/captures", body.to_string()).await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.json().to_string().contains(reason), "{}", reply.json());
    }
    let unknown = CaptureId::generate();
    assert_eq!(stage.ask("GET", &format!("/captures/{unknown}"), "").await.status, 404);
    assert_eq!(stage.ask("POST", &format!("/captures/{unknown}/stop"), "").await.status, 404);
    let asked = json!({"route": route}).to_string();
    for _ in 0..32 {
        assert_eq!(stage.ask("POST", "/captures", asked.clone()).await.status, 201);
    }
    let reply = stage.ask("POST", "/captures", asked).await;
    assert_eq!(reply.status, 409);
    assert!(reply.json()["detail"].as_str().unwrap().contains("32 captures run already"));
    assert_eq!(stage.ask("GET", "/captures", "").await.json().as_array().unwrap().len(), 32);
}
