//! Several of each: what one of them knows the others come to know, and no single one is needed.

use harness::{Cluster, Size};

use crate::harness::{PAIRS, program, sample};
use crate::load::{Load, assert_all_well};

#[test]
fn every_frontend_serves_what_any_tron_was_told() {
    let cluster = Cluster::start(program(), PAIRS);
    cluster.deploy(&sample("hello-js"));
    for (_, frontend) in &cluster.frontends {
        for (_, tron) in &cluster.trons {
            let client = cluster.client_of(frontend, tron);
            client.until("/hello/ada", |reply| reply.status == 200);
            let routes = client.admin("GET", "/api/v1/routes", b"").json();
            assert_eq!(routes.as_array().unwrap().len(), 1, "{routes}");
        }
    }
}

#[test]
fn no_call_fails_when_one_of_each_is_killed() {
    let mut cluster = Cluster::start(program(), PAIRS);
    cluster.deploy(&sample("hello-rust"));
    let other = cluster.client_of(&cluster.frontends[1].1, &cluster.trons[1].1);
    other.until("/hello-rust", |reply| reply.status == 200);
    let load = Load::start(&[other.clone(), other.clone(), other], "/hello-rust");
    load.goes_on_for(50);
    cluster.trons[0].0.kill();
    load.goes_on_for(50);
    cluster.runners[0].kill();
    load.goes_on_for(50);
    cluster.frontends[0].0.kill();
    load.goes_on_for(50);
    assert_all_well(&load.end());

    cluster.trons[0].0.start_again();
    cluster.runners[0].start_again();
    cluster.frontends[0].0.start_again();
    cluster.until_ready();
    for client in cluster.clients() {
        client.until("/hello-rust", |reply| reply.status == 200);
    }
}

#[test]
fn a_runner_without_the_store_has_its_bundles_from_tron() {
    let mut cluster = Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 0 });
    let tron = cluster.trons[0].1.clone();
    cluster.add_runner(&["--store", &tron], &[]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-rust"));
    assert_eq!(cluster.client().get("/hello-rust").status, 200);
}

#[test]
fn a_frontend_that_dispatches_by_itself_goes_on_with_every_tron_gone() {
    let mut cluster = Cluster::start(program(), PAIRS);
    cluster.add_frontend(&["--dispatch", "direct"]);
    cluster.until_ready();
    cluster.deploy(&sample("hello-rust"));
    let client = cluster.client_of(&cluster.frontends[2].1, &cluster.trons[0].1);
    client.until("/hello-rust", |reply| reply.status == 200);
    for (tron, _) in &mut cluster.trons {
        tron.kill();
    }
    for _ in 0..20 {
        assert_eq!(client.get("/hello-rust").status, 200);
    }
}
