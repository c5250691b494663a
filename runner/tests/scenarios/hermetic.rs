//! What a call draws from outside its sandbox: noted, and given to it again with the outside gone.

use bytes::Bytes;
use runner::{Settings, Stage, Staged};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wire::bundle::Code;
use wire::capture::{Drawn, HostCall, HttpOutcome};
use wire::{ActivationId, Answer, Body, Bundle, Invoke, Level, Replay, Stream};

use crate::harness::{Deployment, config, invoke, json, start, text};

const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "draws", "version": "1"}, "paths": {
    "/draw": {"get": {"operationId": "draw", "responses": {"200": {"description": "all"}}}},
    "/ask": {"get": {"operationId": "ask", "parameters": [
        {"name": "url", "in": "query", "required": true, "schema": {"type": "string"}},
        {"name": "times", "in": "query", "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "what came of it"}}}},
    "/mirror": {"post": {"operationId": "mirror",
        "requestBody": {"content": {"application/octet-stream": {}}},
        "responses": {"200": {"description": "the same", "content": {"application/octet-stream": {}}}}}}}}"#;

/// Draws of everything that there is.
const SOURCE: &str = r#"
export async function draw({ props }) {
  const began = performance.now();
  const dates = [Date.now(), new Date().toISOString()];
  await new Promise((done) => setTimeout(done, 5));
  const bytes = [...crypto.getRandomValues(new Uint8Array(70))];
  const answers = [];
  for (const body of ["one", "two"]) {
    const response = await fetch(`${props.url}/count`, { method: "POST", body, headers: { "x-key": "k" } });
    answers.push(response.status, response.headers.get("x-count"), await response.text());
  }
  console.debug("dropped");
  console.warn("drew\nall");
  const took = performance.now() - began;
  return { began, took, dates, bytes, uuid: crypto.randomUUID(), unit: Math.random(), answers };
}
export async function ask({ query }) {
  const told = [];
  for (let time = 0; time < (query.times ?? 1); time++) {
    try {
      told.push(await (await fetch(query.url)).text());
    } catch (error) {
      told.push(String(error));
    }
  }
  return { told };
}
export function mirror({ bytes }) {
  return new Response(bytes(), { headers: { "content-type": "application/octet-stream" } });
}
"#;

/// A server whose answers are never the same: it counts, and sends back what it was sent.
async fn counting() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        for count in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            while !is_whole(&request) {
                let mut piece = vec![0; 4096];
                let len = stream.read(&mut piece).await.unwrap();
                request.push_str(std::str::from_utf8(&piece[..len]).unwrap());
            }
            let body = format!("{count}: {}", request.to_lowercase());
            let (len, connection) = (body.len(), "connection: close");
            let head = format!(
                "HTTP/1.1 201 Created\r\ncontent-length: {len}\r\n{connection}\r\nx-count: {count}\r\n\r\n"
            );
            stream.write_all((head + &body).as_bytes()).await.unwrap();
        }
    });
    (address, serving)
}

/// Whether a request has come to its end: bodies are of three bytes.
fn is_whole(request: &str) -> bool {
    let body = request.split_once("\r\n\r\n").map(|(_, body)| body.len());
    body == Some(if request.starts_with("GET") { 0 } else { 3 })
}

/// The Func that draws, where it may ask this host.
async fn stage(host: &str) -> Stage {
    let zip = Bundle::pack(DOCUMENT.as_bytes(), &Code::JavaScript(Bytes::from(SOURCE))).unwrap();
    let props = serde_json::json!({ "url": format!("http://{host}") });
    let settings = Settings {
        host: "*".into(),
        base_path: "/api".into(),
        props: props.as_object().unwrap().clone(),
        outbound: vec![host.to_owned()],
        ..Settings::default()
    };
    Stage::open(&config(), zip, settings).await.unwrap()
}

/// The same call with what it drew.
fn again(call: &Invoke, drawn: Drawn) -> Invoke {
    let replay = Replay { of: call.activation, drawn: Some(drawn), outside: false, expected: None };
    Invoke { activation: ActivationId::generate(), replay: Some(Box::new(replay)), ..call.clone() }
}

fn is_same(a: &Answer, b: &Answer) -> bool {
    (a.status, &a.headers, &a.body) == (b.status, &b.headers, &b.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_alike_a_hundred_times_when_the_world_is_gone() {
    let (host, serving) = counting().await;
    let stage = stage(&host).await;
    let call = invoke("GET", "/api/draw");
    let live = stage.run(call.clone()).await;
    assert_eq!(live.answer.status, 200, "{}", text(&live.answer));
    assert_eq!(json(&live.answer)["answers"][1], "1");
    let other = stage.run(call.clone()).await;
    assert!(!is_same(&live.answer, &other.answer), "nothing differs between two live calls");
    serving.abort();
    for _ in 0..100 {
        let played = stage.run(again(&call, live.drawn.clone())).await;
        assert!(is_same(&played.answer, &live.answer), "{}\n{}", text(&played.answer), text(&live.answer));
        assert_eq!(played.activation.replay_of, Some(call.activation));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_drawn_is_noted_of_a_call_and_of_its_replay() {
    let (host, _serving) = counting().await;
    let stage = stage(&host).await;
    let call = invoke("GET", "/api/draw");
    let live = stage.run(call.clone()).await;
    let played = stage.run(again(&call, live.drawn.clone())).await;
    for drawn in [&live.drawn, &played.drawn] {
        assert!(drawn.seed.len() == 64 && !drawn.truncated);
        let is_there = |wanted: fn(&HostCall) -> bool| drawn.calls.iter().any(wanted);
        assert!(is_there(|call| matches!(call, HostCall::WallClock { ns, .. } if *ns > 1 << 60)));
        assert!(is_there(|call| matches!(call, HostCall::MonotonicClock { .. })));
        assert!(is_there(|call| matches!(call, HostCall::Random { bytes: 70, .. })));
        let mut exchanges = drawn.calls.iter().filter_map(|call| match call {
            HostCall::Http(exchange) => Some(exchange),
            _ => None,
        });
        for body in ["one", "two"] {
            let exchange = exchanges.next().unwrap();
            assert_eq!((exchange.method.as_str(), &exchange.url), ("POST", &format!("http://{host}/count")));
            assert_eq!(exchange.body, Body::from(Bytes::from(body)));
            assert!(exchange.headers.contains(&("x-key".into(), "k".into())), "{exchange:?}");
            let HttpOutcome::Response { status: 201, body: Body::Inline(answer), cut: None, .. } =
                &exchange.outcome
            else {
                panic!("{exchange:?}")
            };
            assert!(answer.ends_with(body.as_bytes()), "{answer:?}");
        }
        assert!(exchanges.next().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_console_have_its_levels_and_their_place_among_what_was_drawn() {
    let (host, _serving) = counting().await;
    let live = stage(&host).await.run(invoke("GET", "/api/draw")).await;
    let ended = live.drawn.calls.iter().filter_map(|call| match call {
        HostCall::Http(exchange) => Some(exchange.at_us + exchange.took_us),
        _ => None,
    });
    let ended = ended.max().unwrap();
    let lines = live.activation.logs.iter();
    assert!(lines.clone().all(|line| line.at_us.unwrap() > ended && line.stream == Stream::Stderr));
    let lines: Vec<_> = lines.map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(lines, [(Level::Warn, "drew"), (Level::Warn, "all")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_fails_alike() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let stage = stage(&host).await;
    for url in [format!("http://{host}/gone"), "http://elsewhere.test/".to_owned()] {
        let call = invoke("GET", &format!("/api/ask?times=2&url={url}"));
        let live = stage.run(call.clone()).await;
        let played = stage.run(again(&call, live.drawn.clone())).await;
        assert!(text(&live.answer).contains("TypeError"), "{}", text(&live.answer));
        assert!(is_same(&played.answer, &live.answer), "{}\n{}", text(&played.answer), text(&live.answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_recorded_is_refused_unless_the_outside_is_allowed() {
    let (host, _serving) = counting().await;
    let stage = stage(&host).await;
    let call = |times| invoke("GET", &format!("/api/ask?times={times}&url=http://{host}/?secret=s"));
    let told = |staged: &Staged| json(&staged.answer)["told"].clone();
    let live = stage.run(call(1)).await;

    let refused = stage.run(again(&call(2), live.drawn.clone())).await;
    assert_eq!(told(&refused)[0], told(&live)[0]);
    assert!(told(&refused)[1].as_str().unwrap().contains("equest"), "{}", told(&refused));
    let why = refused.activation.logs.iter().find(|line| line.stream == Stream::Platform).unwrap();
    let wanted = format!("GET http://{host}/ was not recorded, and the replay may not go outside");
    assert_eq!(why.text, wanted);

    let mut open = again(&call(2), live.drawn.clone());
    open.replay.as_mut().unwrap().outside = true;
    let open = stage.run(open).await;
    assert_eq!(told(&open)[0], told(&live)[0]);
    assert!(told(&open)[1].as_str().unwrap().starts_with("2: "), "{}", told(&open));

    let mut undrawn = again(&call(1), Drawn::default());
    undrawn.replay.as_mut().unwrap().drawn = None;
    let undrawn = stage.run(undrawn).await;
    assert!(!undrawn.activation.logs.is_empty(), "{}", told(&undrawn));
}

/// The requests that are noted, and how many bytes of them.
fn noted(drawn: &Drawn) -> (usize, usize) {
    let urls: Vec<&String> = drawn
        .calls
        .iter()
        .filter_map(|call| if let HostCall::Http(exchange) = call { Some(&exchange.url) } else { None })
        .collect();
    (urls.len(), urls.iter().map(|url| url.len()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_func_that_asks_without_end_is_noted_up_to_the_limit_of_requests() {
    let stage = stage("a.test").await;
    let call = invoke("GET", "/api/ask?times=300&url=http://b.test/");
    let live = stage.run(call.clone()).await;
    assert!((noted(&live.drawn).0, live.drawn.truncated) == (50, true), "{:?}", noted(&live.drawn));
    let played = stage.run(again(&call, Drawn { seed: live.drawn.seed.clone(), ..Drawn::default() })).await;
    assert_eq!((noted(&played.drawn).0, played.drawn.truncated), (50, true));
    assert_eq!(played.activation.logs.len(), 20);
    let refused = json(&played.answer)["told"][299].as_str().unwrap().to_owned();
    assert!(refused.contains("imit"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_requests_are_noted_up_to_a_mebibyte() {
    let stage = stage("a.test").await;
    let call = invoke("GET", &format!("/api/ask?times=50&url=http://b.test/{}", "x".repeat(40_000)));
    let live = stage.run(call.clone()).await;
    let (requests, bytes) = noted(&live.drawn);
    assert!((20..27).contains(&requests) && bytes <= 1 << 20 && live.drawn.truncated, "{requests} {bytes}");
    let played = stage.run(again(&call, Drawn { seed: live.drawn.seed, ..Drawn::default() })).await;
    assert!(noted(&played.drawn).1 <= 1 << 20 && played.drawn.truncated);
    let said: usize = played.activation.logs.iter().map(|line| line.text.len()).sum();
    assert!(said < 10_000, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_size_stay_whole_in_process() {
    let stage = stage("a.test").await;
    for len in [0, 1, Body::INLINE_BYTES_MAX + 1, 3 << 20] {
        let body: Bytes = (0..len).map(|place| (place % 251) as u8).collect();
        let mut call = invoke("POST", "/api/mirror");
        call.headers = vec![("content-type".into(), "application/octet-stream".into())];
        call.body = Body::Inline(body.clone());
        let staged = stage.run(call).await;
        assert_eq!((staged.answer.status, staged.answer.body == Body::Inline(body)), (200, true), "{len}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_over_the_broker_is_played_back_and_counts_for_nothing() {
    let (host, serving) = counting().await;
    let call = invoke("GET", "/api/draw");
    let live = stage(&host).await.run(call.clone()).await;
    serving.abort();

    let mut deployment = Deployment::javascript(DOCUMENT, SOURCE);
    deployment.props = serde_json::json!({ "url": format!("http://{host}") });
    let mut harness = start(deployment).await;
    let mut replayed = again(&call, live.drawn.clone());
    // It was a call that nobody waits for; its replay is none.
    replayed.asynchronous = true;
    let answer = harness.call(replayed.clone()).await;
    assert!(is_same(&answer, &live.answer), "{}\n{}", text(&answer), text(&live.answer));
    let record = harness.activation().await;
    assert_eq!((record.id, record.replay_of), (replayed.activation, Some(call.activation)));

    let failing = Invoke { path: "/api/none".into(), ..again(&call, live.drawn) };
    assert_eq!(harness.call(failing).await.status, 404);
    let stats = loop {
        let funcs = harness.heartbeat(1).await.runner.unwrap().funcs;
        match funcs.get(&harness.queue) {
            Some(stats) if stats.arrivals == 2 && stats.in_flight == 0 => break stats.clone(),
            _ => {}
        }
    };
    assert_eq!((stats.service_us.count(), stats.queue_us.count(), stats.failures), (0, 0, 0));
    assert!(stats.busy_us > 0, "what it took of the runner counts");
    harness.stop().await;
}
