//! Traces: whose decision counts, and what of a request gets into one.

use frontend::Config;
use telemetry::{Shipping, Traces};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{Answer, Invoke, Role};

use crate::harness::{PATIENCE, Stage, answer};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A frontend that traces this share of its requests for a collector.
fn tracing(share: &str, collector: &str, trusts_forwarded: bool) -> (Config, Shipping) {
    let (traces, shipping) = Traces::to(collector.parse().unwrap(), share.parse().unwrap());
    let config = Config::default();
    let tracer = traces.tracer(Role::Frontend, &config.member);
    (Config { tracer, trusts_forwarded, ..config }, shipping)
}

/// Tells which context came, and what else there is of it.
fn tell(invoke: &Invoke) -> Vec<Answer> {
    let more: Vec<_> = invoke.headers.iter().filter(|(name, _)| name.starts_with("trace")).collect();
    let has = |name: &str| more.iter().any(|(known, _)| known == name);
    let text = format!(
        "{} {} {}",
        invoke.traceparent.as_deref().unwrap_or("none"),
        has("traceparent"),
        has("tracestate")
    );
    vec![answer(invoke, 200, &[], &text)]
}

#[tokio::test]
async fn a_stranger_keeps_his_trace_and_does_not_decide_that_it_is_kept() {
    for (trusts_forwarded, flag) in [(false, "00"), (true, "01")] {
        let (config, _shipping) = tracing("0%", "http://a.test", trusts_forwarded);
        let stage = Stage::with(config, tell).await;
        let sent = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01");
        let reply = stage.ask("GET /", &[&sent, "tracestate: a=b"]).await;
        let [context, ..] = reply.body.split(' ').collect::<Vec<_>>()[..] else { panic!("{reply:?}") };
        assert!(context.starts_with(&format!("00-{TRACE}-")) && context.ends_with(flag), "{context}");
        assert!(reply.body.ends_with("true true"), "{reply:?}");
    }
}

#[tokio::test]
async fn what_is_no_context_is_dropped_with_what_is_said_of_it() {
    let stage = Stage::with(Config::default(), tell).await;
    for sent in ["traceparent: 00-xyz-00f067aa0ba902b7-01", "x-other: 1"] {
        assert_eq!(stage.ask("GET /", &[sent, "tracestate: a=b"]).await.body, "none false false");
    }
}

#[tokio::test]
async fn a_span_has_no_method_that_a_client_made_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let (config, shipping) = tracing("100%", &collector, false);
    let shipped = tokio::spawn(shipping.run(CancellationToken::new()));
    let stage = Stage::with(config, tell).await;
    assert_eq!(stage.ask("BREW /", &[]).await.status, 501);
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut spans = Vec::new();
    while !String::from_utf8_lossy(&spans).contains("_OTHER") {
        assert!(timeout(PATIENCE, stream.read_buf(&mut spans)).await.unwrap().unwrap() > 0);
    }
    assert!(!String::from_utf8_lossy(&spans).contains("BREW"));
    shipped.abort();
}
