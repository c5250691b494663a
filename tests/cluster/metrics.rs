//! What every member tells of itself, held against what Prometheus expects and what is built on it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{Cluster, Size};

use crate::harness::{program, sample, test_func};

const TELLING: &str = "--metrics-listen=127.0.0.1:0";
const OPENMETRICS: (&str, &str) = ("accept", "application/openmetrics-text; version=1.0.0");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A cluster whose members tell of themselves, with some calls behind it.
fn telling() -> Cluster {
    let mut cluster = Cluster::start(program(), Size { frontends: 0, trons: 0, runners: 0 });
    cluster.add_tron(&[TELLING]);
    cluster.add_frontend(&[TELLING]);
    cluster.add_runner(&[TELLING], &[]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-js"));
    cluster.deploy(&test_func("hostile"));
    let client = cluster.client();
    (0..5).for_each(|_| assert_eq!(client.get("/hello/ada").status, 200));
    assert_eq!(client.get("/hello/ada/and/more").status, 404);
    assert_eq!(client.get("/nowhere").status, 404);
    assert_eq!(client.send("TRACE", "/hello/ada", &[], b"").status, 405);
    cluster
}

/// What a member tells.
fn told(cluster: &Cluster, role: &str) -> String {
    let url = &cluster.metrics.iter().find(|(of, _)| of == role).unwrap().1;
    let reply = cluster.client().send_to(url, "GET", "/metrics", &[], b"");
    assert_eq!(
        (reply.status, reply.header("content-type").unwrap().split(';').next()),
        (200, Some("text/plain"))
    );
    reply.text()
}

/// The value of the only sample of a metric that has all of this in its labels.
#[track_caller]
fn value(page: &str, metric: &str, labels: &[&str]) -> f64 {
    let is_meant = |line: &&str| {
        let rest = line.strip_prefix(metric).unwrap_or_default();
        rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label))
    };
    let lines: Vec<&str> = page.lines().filter(is_meant).collect();
    assert_eq!(lines.len(), 1, "{metric} {labels:?}: {lines:?} in\n{page}");
    lines[0].rsplit(' ').next().unwrap().parse().unwrap()
}

/// Runs promtool, which has to be there: `scripts/setup.sh` installs it.
#[track_caller]
fn promtool(arguments: &[&str], input: &str) {
    let mut promtool = Command::new("promtool")
        .args(arguments)
        .current_dir(repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, from Debian's package prometheus");
    promtool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}\n{input}");
}

/// The words of a text that name metrics.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let is_metric = |word: &&str| {
        let of_funcatron = ["frontend", "tron", "runner", "member", "trace"];
        let is_ours = word.strip_prefix("funcatron_").is_some_and(|rest| {
            of_funcatron.iter().any(|part| rest.strip_prefix(part).is_some_and(|rest| rest.starts_with('_')))
        });
        is_ours || word.starts_with("process_")
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

/// The names that samples of these pages have or would have.
fn exported(pages: &[String]) -> BTreeSet<String> {
    let types = pages.iter().flat_map(|page| page.lines()).filter_map(|line| line.strip_prefix("# TYPE "));
    let samples = types.flat_map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count", ""] } else { &[""] };
        suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect::<Vec<_>>()
    });
    samples.collect()
}

#[test]
fn every_member_tells_what_promtool_has_nothing_to_say_about() {
    let cluster = telling();
    // Tron counts a call when the broker confirms it, which may be later than its answer.
    let is_dispatched = || value(&told(&cluster, "tron"), "funcatron_tron_dispatched_total", &[]) >= 6.0;
    cluster.until("Tron has counted every call", is_dispatched);
    let pages = ["frontend", "tron", "runner"].map(|role| told(&cluster, role));
    for page in &pages {
        promtool(&["check", "metrics"], page);
        assert!(value(page, "process_resident_memory_bytes", &[]) > 1e6);
        assert!(value(page, "process_cpu_seconds_total", &[]) > 0.0);
    }
    let [frontend, tron, runner] = &pages;
    assert!(value(frontend, "funcatron_frontend_requests_total", &["\"GET\"", "2xx"]) >= 5.0);
    assert_eq!(value(frontend, "funcatron_frontend_requests_total", &["\"other\"", "4xx"]), 1.0);
    assert_eq!(value(frontend, "funcatron_frontend_refusals_total", &["\"method-not-allowed\""]), 1.0);
    assert_eq!(value(frontend, "funcatron_frontend_requests_in_flight", &[]), 0.0);
    assert_eq!(value(tron, "funcatron_tron_dispatched_total", &[]), 6.0);
    assert_eq!(value(tron, "funcatron_tron_refused_total", &["\"not-found\""]), 1.0);
    assert_eq!(value(tron, "funcatron_tron_members", &["\"runner\"", "\"serving\""]), 1.0);
    assert_eq!(value(tron, "funcatron_tron_queue_messages", &["\"requests\""]), 0.0);
    let route = tron.lines().find(|line| line.contains("base_path=\"/hello\"")).unwrap();
    let route = route.split('"').nth(1).unwrap();
    assert_eq!(value(tron, "funcatron_tron_dead_letters", &[route]), 0.0);
    let greeted = [route, "operation=\"getGreeting\"", "2xx"];
    assert_eq!(value(runner, "funcatron_runner_calls_total", &greeted), 5.0);
    assert_eq!(value(runner, "funcatron_runner_errors_total", &[route, "\"not-found\""]), 1.0);
    assert_eq!(value(runner, "funcatron_runner_call_duration_seconds_count", &greeted[..2]), 5.0);
    assert_eq!(value(runner, "funcatron_runner_call_queue_seconds_count", &greeted[..2]), 5.0);
    assert!(value(runner, "funcatron_runner_call_cpu_seconds_total", &greeted[..2]) > 0.0);
    assert_eq!(value(runner, "funcatron_runner_loads_total", &[route, "\"loaded\""]), 1.0);
    assert_eq!(value(runner, "funcatron_runner_calls_in_flight", &[route]), 0.0);

    // Whoever asks for it gets the other format.
    let url = &cluster.metrics[0].1;
    let open = cluster.client().send_to(url, "GET", "/metrics", &[OPENMETRICS], b"");
    assert!(open.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(open.text().ends_with("\n# EOF\n"));
    cluster.client().send_to(url, "GET", "/", &[], b"").problem(404);
    cluster.client().send_to(url, "POST", "/metrics", &[], b"").problem(405);

    // What was built on these names still finds them.
    promtool(&["check", "rules", "deploy/prometheus/alerts.yml"], "");
    promtool(&["check", "config", "deploy/prometheus/prometheus.yml"], "");
    let exported = exported(&pages);
    for file in ["deploy/grafana/funcatron.json", "deploy/prometheus/alerts.yml", "docs/observability.md"] {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        let unknown: Vec<_> = names(&text).into_iter().filter(|name| !exported.contains(name)).collect();
        assert!(unknown.is_empty(), "{file} names what nobody exports: {unknown:?}");
    }
    let documented = names(&fs::read_to_string(repository().join("docs/observability.md")).unwrap());
    let is_family =
        |name: &&String| !["_bucket", "_sum", "_count"].iter().any(|suffix| name.ends_with(suffix));
    let silent: Vec<_> =
        exported.iter().filter(is_family).filter(|name| !documented.contains(*name)).collect();
    assert!(silent.is_empty(), "docs/observability.md is silent about {silent:?}");
}
