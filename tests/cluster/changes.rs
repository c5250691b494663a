//! What is deployed changes while calls are made.

use std::fs;

use harness::{Cluster, Size};

use crate::harness::{PAIRS, program, sample, test_func};
use crate::held::Held;
use crate::load::{Load, assert_all_well};

#[test]
fn a_new_version_takes_over_without_a_failed_call() {
    let cluster = Cluster::start(program(), PAIRS);
    cluster.deploy(&sample("hello-js"));
    let clients = cluster.clients();
    clients.iter().for_each(|client| _ = client.until("/hello/ada", |reply| reply.status == 200));
    let load = Load::start(&clients, "/hello/ada");
    load.goes_on_for(50);
    let source = cluster.client().func("hello-js").join("index.js");
    fs::write(&source, fs::read_to_string(&source).unwrap().replace("Hello", "Ahoy")).unwrap();
    cluster.deploy(&sample("hello-js"));
    for client in &clients {
        client.until("/hello/ada", |reply| reply.text().contains("Ahoy"));
    }
    // The queue of the version before goes while calls are made, too.
    cluster.until("the old queue is deleted", || cluster.vhost.queues("func.").len() == 1);
    load.goes_on_for(50);
    let replies = load.end();
    assert_all_well(&replies);
    assert!(replies[0].text().contains("Hello") && replies.last().unwrap().text().contains("Ahoy"));
}

#[test]
fn a_call_that_runs_is_answered_by_the_version_that_began_it() {
    let cluster = Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 1 });
    let held = Held::begin(&cluster);
    let before = cluster.vhost.queues("func.");
    let document = cluster.client().func("hostile").join("funcatron.yaml");
    let changed = fs::read_to_string(&document).unwrap().replace("version: 1.0.0", "version: 2.0.0");
    fs::write(&document, changed).unwrap();
    cluster.deploy(&test_func("hostile"));
    assert_eq!(cluster.client().get("/hostile/polite").status, 200);
    let reply = held.end();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("done"), "{reply}");
    cluster.until("the old queue is deleted", || {
        let now = cluster.vhost.queues("func.");
        now.len() == 1 && now != before
    });
}

#[test]
fn what_is_removed_is_gone_everywhere() {
    let cluster = Cluster::start(program(), PAIRS);
    cluster.deploy(&sample("hello-js"));
    cluster.deploy(&sample("hello-rust"));
    let clients = cluster.clients();
    for client in &clients {
        client.until("/hello/ada", |reply| reply.status == 200);
    }
    let removed = clients[1].command(&["remove", "/hello"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    for client in &clients {
        client.until("/hello/ada", |reply| reply.status == 404);
        assert_eq!(client.get("/hello-rust").status, 200);
    }
    cluster.until("its queue is deleted", || cluster.vhost.queues("func.").len() == 1);
}
