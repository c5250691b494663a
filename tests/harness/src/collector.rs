//! `Collector`: somebody who takes traces, and what was sent to him.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::PATIENCE;

/// Between two looks at what has come.
const PAUSE: Duration = Duration::from_millis(20);

/// What names a Python that knows OTLP: `scripts/traces.sh` makes one.
const PYTHON: &str = "FUNCATRON_TEST_PYTHON";

/// A running collector. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    /// Where it takes traces.
    pub url: String,
    process: Child,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    /// Starts one.
    pub fn start() -> Self {
        let python = std::env::var(PYTHON).unwrap_or_else(|_| panic!("{PYTHON} is not set"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector/receiver.py");
        let mut process = Command::new(python).arg(script).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let spans: Arc<Mutex<Vec<Value>>> = Arc::default();
        let collected = Arc::clone(&spans);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                collected.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { url: first["url"].as_str().unwrap().to_owned(), process, spans }
    }

    /// All that has come.
    pub fn spans(&self) -> Vec<Value> {
        self.spans.lock().unwrap().clone()
    }

    /// Waits for the trace of the request with this id, with a span of each of these names, and checks that it is one
    /// tree.
    #[track_caller]
    pub fn tree(&self, request_id: &str, names: &[&str]) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let spans = self.spans();
            let root = spans.iter().find(|span| {
                span["attributes"]["funcatron.request_id"] == request_id && span["kind"] == "SPAN_KIND_SERVER"
            });
            let of_trace =
                |root: &Value| spans.iter().filter(|span| span["trace"] == root["trace"]).cloned().collect();
            let tree: Vec<Value> = root.map(of_trace).unwrap_or_default();
            let seen: BTreeSet<&str> = tree.iter().map(|span| span["name"].as_str().unwrap()).collect();
            if names.iter().all(|name| seen.contains(name)) {
                check(&tree);
                return tree;
            }
            assert!(begun.elapsed() < PATIENCE, "{request_id} has {seen:?}, not all of {names:?}");
            std::thread::park_timeout(PAUSE);
        }
    }
}

/// Checks that spans are one tree, in which nobody begins before whoever he is a part of.
#[track_caller]
fn check(tree: &[Value]) {
    let of = |id: &Value| tree.iter().find(|span| span["span"] == *id);
    let roots: Vec<_> = tree.iter().filter(|span| of(&span["parent"]).is_none()).collect();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    assert_eq!(roots[0]["kind"], "SPAN_KIND_SERVER");
    for span in tree {
        let (began, ended) = (span["began"].as_u64().unwrap(), span["ended"].as_u64().unwrap());
        assert!(began <= ended, "{span:#?}");
        // Times that travel are in microseconds.
        let parent = of(&span["parent"]).map_or(0, |parent| parent["began"].as_u64().unwrap());
        assert!(parent <= began + 1_000, "{span:#?} in {tree:#?}");
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
