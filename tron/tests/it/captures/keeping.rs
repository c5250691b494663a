//! What of captures is in the store: how many, what is left of imports, and what cannot be read.

use bytes::Bytes;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use wire::admin::CaptureInfo;
use wire::capture::Capture;
use wire::store::CaptureRecord;
use wire::{Body, CaptureId, Timestamp, encode_line};

use super::{entry, publish, started, text, until};
use crate::harness::{Reply, Stage, TOKEN, in_time};

/// Waits until nothing else is in the store.
async fn until_alone(stage: &Stage, id: &CaptureId) {
    in_time(async {
        while stage.store.captures().await.unwrap() != [id.clone()] {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_written_of_an_import_that_came_to_nothing_is_deleted() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    let call = encode_line(&entry(1, Body::from(vec![b'a'; 200_000]))).unwrap();
    publish(&stage.broker, &capture.id, &[text(1)]).await;
    until(&stage, &capture.id, |info| info.entries == 1).await;
    let whole = stage.ask("GET", &format!("/captures/{}/export", capture.id), "").await.body;
    let header = wire::split_lines(&whole).next().unwrap();
    // More than one chunk, and more calls than the header says.
    let file = [&header[..], b"\n", &call.repeat(6)].concat();

    let headers =
        [("authorization", format!("Bearer {}", TOKEN)), ("content-type", "application/x-ndjson".to_owned())];
    let refused = stage.send("POST", "/captures/import", &headers, file.clone().into()).await;
    assert_eq!(refused.status(), 400);
    until_alone(&stage, &capture.id).await;

    // The same from somebody who leaves in the middle of it.
    let mut client = tokio::net::TcpStream::connect(stage.address).await.unwrap();
    let head = format!(
        "POST /api/v1/captures/import HTTP/1.1\r\nhost: a\r\nauthorization: {}\r\ncontent-type: {}\r\n\
         content-length: 9000000\r\n\r\n",
        headers[0].1, headers[1].1
    );
    client.write_all(&[head.as_bytes(), &file].concat()).await.unwrap();
    in_time(async {
        while stage.store.captures().await.unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(client);
    until_alone(&stage, &capture.id).await;
}

/// Puts a capture into the store of which nobody was told.
async fn put(stage: &Stage, like: &Capture) -> CaptureId {
    let capture = Capture { id: CaptureId::generate(), ..like.clone() };
    let id = capture.id.clone();
    let record = CaptureRecord { capture, host: "*".into(), base_path: "/a".into(), imported: true };
    stage.store.put_capture(&record).await.unwrap();
    id
}

#[tokio::test]
async fn captures_are_bounded_and_what_is_none_is_not_counted() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    for _ in 0..300 {
        stage.store.append_chunk(&CaptureId::generate(), vec![Bytes::from_static(b"{}\n")], 1).await.unwrap();
    }
    let CaptureInfo { capture: second, .. } = started(&stage, json!({})).await;
    for _ in 0..254 {
        put(&stage, &capture).await;
    }
    let asked = json!({"route": capture.route}).to_string();
    let headers =
        [("authorization", format!("Bearer {}", TOKEN)), ("content-type", "application/x-ndjson".to_owned())];
    let refused = [
        stage.ask("POST", "/captures", asked.clone()).await,
        Reply::read(stage.send("POST", "/captures/import", &headers, Bytes::new()).await).await,
    ];
    for reply in refused {
        let said = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(reply.status == 409 && said == "there are 256 captures; remove some first", "{said}");
    }
    assert_eq!(stage.ask("DELETE", &format!("/captures/{}", second.id), "").await.status, 204);
    assert_eq!(stage.ask("POST", "/captures", asked).await.status, 201);
}

#[tokio::test]
async fn a_capture_that_cannot_be_read_is_in_nobodys_way_and_can_be_removed() {
    let stage = Stage::start().await;
    let CaptureInfo { capture, .. } = started(&stage, json!({})).await;
    let store = stage.dir.as_ref().unwrap().path().join("captures");
    let [bad, strange, old] =
        [put(&stage, &capture).await, put(&stage, &capture).await, CaptureId::generate()];
    std::fs::write(store.join(bad.as_str()).join("capture.json"), b"{\"capture\":").unwrap();
    std::fs::write(store.join(strange.as_str()).join("missed.json"), b"many").unwrap();
    let listed = stage.ask("GET", "/captures", "").await;
    assert_eq!(listed.json().as_array().unwrap().len(), 1, "{}", listed.json());
    // The sweep still comes to those behind it.
    let over = Capture { id: old.clone(), delete_at: Timestamp(1), ..capture.clone() };
    let record = CaptureRecord { capture: over, host: "*".into(), base_path: "/a".into(), imported: true };
    stage.store.put_capture(&record).await.unwrap();
    in_time(async {
        while stage.store.capture(&old).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for id in [bad, strange] {
        assert_eq!(stage.ask("DELETE", &format!("/captures/{id}"), "").await.status, 204);
    }
    assert_eq!(stage.store.captures().await.unwrap(), [capture.id]);
}
