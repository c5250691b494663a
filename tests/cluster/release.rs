//! A bundle is put on trial under load, with two of everybody: it is found out, and no client notices.

use harness::Reply;

use crate::harness::{Platform, sample};
use crate::load::{Load, assert_all_well};
use crate::trials::{TRUSTED, WRONG, deploy, orders};

/// Clients of each frontend.
const CLIENTS: usize = 2;

/// Puts a bundle on trial that is wrong about 3 of 100 orders, and has clients ask for orders until it is gone and on;
/// what they were answered.
fn answers(share: [&str; 2]) -> Vec<Reply> {
    let platform = Platform::paired(&[&sample("hello-js")]);
    deploy(&platform, "trusted", TRUSTED, &[]);
    let clients = platform.cluster.clients();
    clients.iter().for_each(|client| _ = client.until("/orders/1", |reply| reply.status == 200));
    let load = Load::start_on(&[&*clients; CLIENTS].concat(), |call| format!("/orders/{call}"));
    load.goes_on_for(50);
    deploy(&platform, "wrong", WRONG, &share);
    let is_gone = || orders(&platform)["bundles"].as_array().unwrap().len() == 1;
    platform.cluster.until("the bundle that is wrong is gone", is_gone);
    load.goes_on_for(50);
    let replies = load.end();
    assert_all_well(&replies);

    let history = platform.admin("GET", "/api/v1/deployments", b"").json();
    let mut ends = history.as_array().unwrap().iter().filter(|entry| entry["by"] == "trial");
    let action = ends.next().unwrap()["action"].as_str().unwrap();
    assert!(action.contains("copies were answered otherwise, 0% may be"), "{action}");
    assert_eq!(ends.next(), None, "both Trons judge, and one of them acts");
    assert_eq!(orders(&platform)["bundles"][0]["weight"], 100);
    replies
}

fn order(reply: &Reply) -> (u64, u64) {
    let order = reply.json();
    (order["id"].as_u64().unwrap(), order["total"].as_u64().unwrap())
}

#[test]
fn a_canary_that_is_wrong_goes_under_load_and_no_call_fails() {
    let replies = answers(["--canary", "10%"]);
    let (right, wrong): (Vec<_>, Vec<_>) =
        replies.iter().map(order).partition(|(id, total)| id * 2 == *total);
    assert!(!right.is_empty());
    let is_of_canary = |(id, total): &(u64, u64)| [7, 42, 99].contains(&(id % 100)) && id * 2 + 1 == *total;
    assert!(wrong.iter().all(is_of_canary), "{wrong:?}");
}

#[test]
fn copies_find_a_bundle_that_is_wrong_under_load_and_no_client_is_answered_by_it() {
    let replies = answers(["--mirror", "10%"]);
    let wrong: Vec<_> = replies.iter().map(order).filter(|(id, total)| id * 2 != *total).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
