//! What the platform tells about itself.

use crate::harness::{Platform, sample};

#[test]
fn all_members_tell_of_themselves_at_one_place_to_who_has_the_token() {
    let platform = Platform::serving(&[&sample("hello-js")]);
    assert_eq!(platform.get("/hello/ada").status, 200);
    platform.send_to(&platform.admin, "GET", "/metrics", &[], b"").problem(401);
    let reply = platform.admin("GET", "/metrics", b"");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let page = reply.text();
    for sample in [
        "funcatron_frontend_requests_total{method=\"GET\",status=\"2xx\"} ",
        "funcatron_tron_dispatched_total 1\n",
        "funcatron_runner_slots ",
        "funcatron_runner_calls_total{route=",
        "process_cpu_seconds_total ",
    ] {
        assert!(page.contains(sample), "{sample} in {page}");
    }
    let members = page.lines().filter(|line| line.starts_with("funcatron_member_info{"));
    assert_eq!(members.count(), 3);
    platform.admin("POST", "/metrics", b"").problem(404);
}
