//! A Func that logs in elsewhere: its tokens are in no capture, and without them it can still be run again.

use bytes::Bytes;
use runner::{Settings, Stage};
use swagger::BasePath;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wire::bundle::Code;
use wire::capture::CaptureEntry;
use wire::{ActivationId, Body, Bundle, Invoke, Replay, Version, encode_line};

use crate::harness::{config, invoke, text};

const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "logs in", "version": "1"}, "paths": {
    "/me": {"get": {"operationId": "me", "responses": {"200": {"description": "who I am"}}}}}}"#;
const SOURCE: &str = r#"
export async function me({ props }) {
  const asked = await fetch(`${props.url}/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `grant_type=client_credentials&client_secret=${props.secret}`,
  });
  const { access_token: token } = await asked.json();
  const url = `${props.url}/${token}/me?n=1&access_token=${token}`;
  const me = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  console.log(`logged in with ${token}`);
  return { me: await me.text(), token };
}
"#;
const SECRET: &str = "canary-secret";
const TOKEN: &str = "canary-token";

/// A server that gives out tokens, and names to whoever has one.
async fn naming() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            while !request.contains("\r\n\r\n") || request.starts_with("POST") && !request.contains(SECRET) {
                let mut piece = vec![0; 4096];
                let len = stream.read(&mut piece).await.unwrap();
                request.push_str(std::str::from_utf8(&piece[..len]).unwrap());
            }
            let body = match request.starts_with("POST") {
                true => format!("{{\"access_token\":\"{TOKEN}\",\"expires_in\":3600}}"),
                false if request.contains(&format!("Bearer {TOKEN}")) => "ada".to_owned(),
                false => "nobody".to_owned(),
            };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_tokens_were_taken_out_can_be_run_again() {
    let host = naming().await;
    let zip = Bundle::pack(DOCUMENT.as_bytes(), &Code::JavaScript(Bytes::from(SOURCE))).unwrap();
    let props = serde_json::json!({ "url": format!("http://{host}"), "secret": SECRET });
    let settings = Settings {
        host: "*".into(),
        base_path: "/api".into(),
        props: props.as_object().unwrap().clone(),
        outbound: vec![host],
        ..Settings::default()
    };
    let stage = Stage::open(&config(), zip, settings).await.unwrap();
    let call = invoke("GET", "/api/me");
    let live = stage.run(call.clone()).await;
    assert_eq!(text(&live.answer), format!("{{\"me\":\"ada\",\"token\":\"{TOKEN}\"}}"));

    let mut entry = CaptureEntry {
        v: Version,
        invoke: call.clone(),
        answer: live.answer,
        activation: live.activation,
        drawn: live.drawn,
        redacted: Vec::new(),
    };
    runner::redact(&mut entry, stage.document(), &BasePath::parse("/api").unwrap());
    let line = String::from_utf8(encode_line(&entry).unwrap().to_vec()).unwrap();
    assert!(!line.contains("canary"), "{line}");

    let replay = Replay { of: call.activation, drawn: Some(entry.drawn), outside: false, expected: None };
    let again = Invoke { activation: ActivationId::generate(), replay: Some(Box::new(replay)), ..call };
    let played = stage.run(again).await;
    assert_eq!(
        played.answer.body,
        Body::from(r#"{"me":"ada","token":"[redacted]"}"#),
        "{}",
        text(&played.answer)
    );
    assert_eq!(played.answer.body, entry.answer.body);
}
