//! What a collector of traces gets to see of `funcatron dev`.

use harness::Collector;

use crate::harness::{Platform, sample};

#[test]
#[ignore = "scripts/traces.sh starts it, with a Python that knows OTLP"]
fn each_request_is_one_tree() {
    let collector = Collector::start();
    let platform = Platform::traced(&[&sample("hello-js")], &collector.url);
    for number in 0..10 {
        let id = format!("dev-{number}");
        assert_eq!(platform.send("GET", "/hello/ada", &[("x-request-id", &id)], b"").status, 200);
        let parts = ["GET", "queue requests", "dispatch", "queue func", "call", "load", "run"];
        assert_eq!(collector.tree(&id, &parts).len(), parts.len());
    }
}
