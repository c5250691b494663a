//! The users of RabbitMQ that docker/permissions.json makes may do what they need to.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Cluster, Process, Size, Vhost};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{PAIRS, program, sample, test_func};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn users() -> Vec<Value> {
    let text = fs::read_to_string(root().join("docker/permissions.json")).unwrap();
    let mut definitions: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(definitions["permissions"].take()).unwrap()
}

#[test]
fn a_cluster_needs_no_more_rights_than_it_is_given() {
    let mut vhost = Vhost::new();
    users().iter().for_each(|user| vhost.add_user(user["user"].as_str().unwrap(), user));
    let mut cluster = Cluster::start_on(vhost, program(), PAIRS);
    cluster.deploy(&sample("hello-js"));
    cluster.deploy(&test_func("hostile"));
    for client in cluster.clients() {
        client.until("/hello/ada", |reply| reply.status == 200);
        client.until("/hostile/panic", |reply| reply.status == 502);
    }
    let promised = cluster.client().send("GET", "/hello/ada", &[("prefer", "respond-async")], b"");
    let client = cluster.client();
    let routes: Vec<Value> =
        serde_json::from_slice(&client.admin("GET", "/api/v1/routes", b"").body).unwrap();
    let hello = routes.iter().find(|route| route["base_path"] == "/hello").unwrap()["id"].as_str().unwrap();
    let call = br#"{"method": "GET", "path": "/hello/ada"}"#;
    let called = client.admin("POST", &format!("/api/v1/routes/{hello}/calls"), call);
    assert_eq!(called.status, 200, "{called:?}");
    let result = format!("{}/result", promised.header("location").unwrap());
    cluster.client().until(&result, |reply| reply.status == 200);
    let asked = |arguments: &[&str]| -> Value {
        let output = cluster.client().command(&[arguments, &["-o", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let capture = asked(&["capture", "start", "/hello"]);
    let capture = capture["capture"]["id"].as_str().unwrap();
    cluster.client().until("/hello/ada", |reply| {
        assert_eq!(reply.status, 200);
        asked(&["capture", "show", capture])["entries"].as_u64() > Some(0)
    });
    assert_eq!(asked(&["capture", "stop", capture])["missed"], 0);
    cluster.runners[0].kill();
    cluster.client().until("/hello/ada", |reply| reply.status == 200);
    let removed = cluster.client().command(&["remove", "/hostile"]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    cluster.until("the queue is deleted", || cluster.vhost.queues("func.").len() == 1);
}

#[test]
fn a_frontend_waits_for_what_only_trons_may_declare() {
    let mut vhost = Vhost::new();
    users().iter().for_each(|user| vhost.add_user(user["user"].as_str().unwrap(), user));
    let folder = TempDir::new().unwrap();
    let store = format!("--store=file://{}", folder.path().display());
    let arguments = ["frontend", "--listen=127.0.0.1:0", &store, "--broker", vhost.url_of("frontend")];
    let first = Process::start(program(), folder.path(), &arguments, &[]);
    first.says("connecting");
    let cluster = Cluster::start_on(vhost, program(), Size { frontends: 1, trons: 1, runners: 1 });
    cluster.deploy(&sample("hello-rust"));
    let client = cluster.client_of(&first.logged("url"), &cluster.trons[0].1);
    client.until("/hello-rust", |reply| reply.status == 200);
}

#[test]
fn the_rights_are_those_that_the_documentation_gives() {
    let told = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    for user in users() {
        let right = |name: &str| format!("`{}`", user[name].as_str().unwrap().replace('|', "\\|"));
        let name = user["user"].as_str().unwrap();
        let row = format!("| {name} | {} | {} | {} |", right("configure"), right("write"), right("read"));
        assert!(told.contains(&row), "docs/operations.md lacks {row}");
    }
}
