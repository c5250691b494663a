//! What a collector of traces gets to see of calls that go through three processes and a broker.

use std::collections::BTreeSet;

use harness::{Cluster, Collector, Size};
use serde_json::Value;

use crate::harness::{program, sample, test_func};

const PARTS: [&str; 7] = ["GET", "queue requests", "dispatch", "queue func", "call", "load", "run"];
const SENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn traced(collector: &Collector) -> Cluster {
    let mut cluster = Cluster::start(program(), Size { frontends: 0, trons: 0, runners: 0 });
    let endpoint = format!("--otlp-endpoint={}", collector.url);
    cluster.add_tron(&[&endpoint]);
    cluster.add_frontend(&[&endpoint, "--trace-sample=100%"]);
    cluster.add_runner(&[&endpoint, "--metrics-listen=127.0.0.1:0"], &[]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-js"));
    let host = collector.url.trim_start_matches("http://");
    cluster.deploy_with(&test_func("hostile"), &["--outbound", host]);
    cluster
}

fn get(cluster: &Cluster, path: &str, id: &str, traceparent: Option<&str>) -> String {
    let headers = [("x-request-id", id), ("traceparent", traceparent.unwrap_or_default())];
    let reply = cluster.client().send("GET", path, &headers[..1 + usize::from(traceparent.is_some())], b"");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text()
}

fn named<'t>(tree: &'t [Value], name: &str) -> &'t Value {
    let mut found = tree.iter().filter(|span| span["name"] == name);
    let (only, None) = (found.next().unwrap(), found.next()) else { panic!("several of {name}: {tree:#?}") };
    only
}

#[test]
#[ignore = "scripts/traces.sh starts it, with a Python that knows OTLP"]
fn each_request_is_one_tree_from_the_frontend_to_what_its_func_asks_for() {
    let collector = Collector::start();
    let cluster = traced(&collector);
    for number in 0..20 {
        get(&cluster, "/hello/ada", &format!("hello-{number}"), None);
    }
    for number in 0..20 {
        let tree = collector.tree(&format!("hello-{number}"), &PARTS);
        assert_eq!(tree.len(), PARTS.len(), "{tree:#?}");
        let services: BTreeSet<_> =
            tree.iter().map(|span| span["resource"]["service.name"].as_str().unwrap()).collect();
        assert_eq!(services, BTreeSet::from(["funcatron-frontend", "funcatron-runner", "funcatron-tron"]));
        let (root, dispatch, call) = (named(&tree, "GET"), named(&tree, "dispatch"), named(&tree, "call"));
        assert_eq!(root["attributes"]["http.response.status_code"], 200);
        assert_eq!((&call["parent"], &dispatch["parent"]), (&dispatch["span"], &root["span"]));
        assert_eq!(call["attributes"]["funcatron.operation"], "getGreeting");
        for part in ["load", "run"] {
            assert_eq!(named(&tree, part)["parent"], call["span"]);
        }
    }

    // What the Func asks for carries the trace on, and queries stay where they are.
    let url = format!("{}/mirror%3Fkey=s3cret", collector.url);
    let seen = get(&cluster, &format!("/hostile/fetch?url={url}"), "fetch", None);
    let names = [&PARTS[1..], &["GET"]].concat();
    let tree = collector.tree("fetch", &names);
    let asked = tree.iter().find(|span| span["kind"] == "SPAN_KIND_CLIENT").unwrap();
    assert_eq!(
        (&asked["parent"], &asked["attributes"]["url.path"]),
        (&named(&tree, "call")["span"], &"/mirror".into())
    );
    let carried = format!("00-{}-{}-01", asked["trace"].as_str().unwrap(), asked["span"].as_str().unwrap());
    assert!(seen.contains(&carried), "{seen} has no {carried}");
    assert!(!format!("{:?}", collector.spans()).contains("s3cret"));

    // A sender that has decided is heard; what is no context is not.
    get(&cluster, "/hello/ada", "sent", Some(&format!("00-{SENT}-00f067aa0ba902b7-01")));
    let tree = collector.tree("sent", &PARTS);
    assert_eq!(
        (&named(&tree, "GET")["trace"], &named(&tree, "GET")["parent"]),
        (&SENT.into(), &"00f067aa0ba902b7".into())
    );
    get(&cluster, "/hello/ada", "unsampled", Some("00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-00"));
    get(&cluster, "/hello/ada", "invalid", Some("00-xyz-00f067aa0ba902b7-01"));
    collector.tree("invalid", &PARTS);
    assert!(!collector.spans().iter().any(|span| span["attributes"]["funcatron.request_id"] == "unsampled"));

    // A metric shows a trace of those that it counts.
    let open = [("accept", "application/openmetrics-text")];
    let page = cluster.client().send_to(&cluster.metrics[0].1, "GET", "/metrics", &open, b"").text();
    let exemplar = page
        .lines()
        .find(|line| line.contains("call_duration_seconds_bucket") && line.contains("# {trace_id="));
    let trace = exemplar.unwrap().split("trace_id=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(collector.spans().iter().any(|span| span["trace"] == trace), "{trace}");
    let dropped =
        page.lines().find(|line| line.starts_with("funcatron_trace_spans_total{outcome=\"dropped\"}"));
    assert_eq!(dropped, Some("funcatron_trace_spans_total{outcome=\"dropped\"} 0"));
}
