//! A 202 is a promise: whoever ends meanwhile, the call is carried out and its status says so.

use harness::{Client, Cluster, Size};

use crate::harness::{program, sample, test_func};

const ONE: Size = Size { frontends: 1, trons: 1, runners: 1 };

/// Has a call made, and where to ask for it.
fn promised(client: &Client, path: &str) -> String {
    let reply = client.send("GET", path, &[("prefer", "respond-async")], b"");
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.header("location").unwrap().to_owned()
}

#[track_caller]
fn is_done(client: &Client, call: &str) {
    client.until(call, |reply| reply.status == 200 && reply.json()["status"] == "done");
    assert_eq!(client.get(&format!("{call}/result")).status, 200);
}

#[test]
fn calls_that_wait_are_carried_out_though_everybody_is_ended() {
    let mut cluster = Cluster::start(program(), ONE);
    cluster.deploy(&sample("hello-js"));
    cluster.runners[0].kill();
    let client = cluster.client();
    let calls: Vec<_> = (0..20).map(|_| promised(&client, "/hello/ada")).collect();
    cluster.trons[0].0.kill();
    let more: Vec<_> = (0..20).map(|_| promised(&client, "/hello/ada")).collect();
    cluster.frontends[0].0.start_again();
    cluster.trons[0].0.start_again();
    cluster.runners[0].start_again();
    cluster.until_ready();
    calls.iter().chain(&more).for_each(|call| is_done(&client, call));
}

#[test]
fn a_call_that_runs_is_carried_out_whoever_is_ended() {
    let mut cluster = Cluster::start(program(), ONE);
    cluster.deploy(&test_func("hostile"));
    let client = cluster.client();
    let running = || promised(&client, "/hostile/sleep?seconds=2");
    let calls = [running(), running()];
    cluster.trons[0].0.start_again();
    calls.iter().for_each(|call| is_done(&client, call));
    let calls = [running(), running()];
    cluster.runners[0].start_again();
    calls.iter().for_each(|call| is_done(&client, call));
    let calls = [running(), running()];
    cluster.frontends[0].0.start_again();
    cluster.until_ready();
    calls.iter().for_each(|call| is_done(&client, call));
}

/// As after a broker that was set up anew, or from an old copy.
#[test]
fn calls_whose_queue_is_deleted_are_begun_again_unless_that_may_do_harm() {
    let mut cluster = Cluster::start(program(), Size { frontends: 0, trons: 0, runners: 1 });
    for _ in 0..2 {
        cluster.add_tron(&["--lost-after=2s"]);
    }
    cluster.add_frontend(&[]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-js"));
    let client = cluster.client();
    client.until("/hello/ada", |reply| reply.status == 200);
    cluster.runners[0].kill();
    let repeatable: Vec<_> = (0..5).map(|_| promised(&client, "/hello/ada")).collect();
    let headers = [("prefer", "respond-async"), ("content-type", "application/json")];
    let reply = client.send("POST", "/hello", &headers, br#"{"name": "ada"}"#);
    let unrepeatable = reply.header("location").unwrap();
    let queue = format!("/queues/{}/{}", cluster.vhost.name, cluster.vhost.queues("func.")[0]);
    // The answer to the first one may not have been settled when its runner ended.
    let ready = || cluster.vhost.api(&queue)["messages_ready"].as_u64().unwrap_or_default();
    cluster.until("the calls wait", || ready() >= 6);
    cluster.vhost.delete(&queue);
    cluster.runners[0].start_again();
    repeatable.iter().for_each(|call| is_done(&client, call));
    let status = client.until(unrepeatable, |reply| reply.json()["status"] != "pending").json();
    assert_eq!((&status["status"], &status["response_status"]), (&"failed".into(), &502.into()), "{status}");
    let dead = client.admin("GET", "/api/v1/dead-letters", b"").json();
    assert_eq!((dead.as_array().unwrap().len(), &dead[0]["count"]), (1, &1.into()), "{dead}");
}

#[test]
fn a_frontend_without_the_store_makes_promises_through_tron() {
    let mut cluster = Cluster::start(program(), ONE);
    let tron = cluster.trons[0].1.clone();
    cluster.add_frontend(&["--store", &tron]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-rust"));
    let client = cluster.client_of(&cluster.frontends[1].1, &tron);
    is_done(&client, &promised(&client, "/hello-rust"));
}
