//! Funcs that ask for certain runners, on runners of which some have what they ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use harness::{Client, Cluster, Size, copy_func};

use crate::harness::{program, sample};

const GPU: [&str; 2] = ["--labels", "gpu=true,zone=a"];

/// A copy of a sample that asks for a runner with a GPU.
fn asking(cluster: &Cluster) -> PathBuf {
    let copy = cluster.folder.path().join("asking");
    copy_func(&sample("hello-js"), &copy);
    let document = copy.join("funcatron.yaml");
    let text = fs::read_to_string(&document).unwrap();
    fs::write(&document, format!("x-funcatron-placement: {{gpu: \"true\"}}\n{text}")).unwrap();
    copy
}

/// What the operator is told of the routes, those without an alarm left out.
fn alarms(client: &Client) -> Vec<String> {
    let routes = client.admin("GET", "/api/v1/routes", b"").json();
    let alarm = |route: &serde_json::Value| route["alarm"].as_str().map(ToOwned::to_owned);
    routes.as_array().unwrap().iter().filter_map(alarm).collect()
}

/// The members that ran the newest calls of a path, once this many are known to have been run.
fn ran(cluster: &Cluster, path: &str, calls: usize) -> BTreeSet<String> {
    let newest = || {
        let all = cluster.client().admin("GET", "/api/v1/activations?limit=1000", b"").json();
        let all = all.as_array().unwrap().iter().filter(|one| one["path"] == path);
        all.map(|one| one["member"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    cluster.until("all calls are recorded", || newest().len() >= calls);
    newest().into_iter().collect()
}

#[test]
fn a_func_runs_on_the_runners_that_have_what_it_asks_for_and_its_callers_hear_when_there_is_none() {
    let mut cluster = Cluster::start(program(), Size { frontends: 1, trons: 2, runners: 1 });
    cluster.add_runner(&GPU, &[]);
    // The calls that wait when the runner dies are told at their deadline.
    cluster.add_frontend(&["--dispatch", "direct", "--call-timeout", "5s"]);
    cluster.until_ready();
    cluster.deploy(&asking(&cluster));
    cluster.deploy(&sample("hello-rust"));
    let clients = cluster.clients();
    for client in &clients {
        client.until("/hello-rust", |reply| reply.status == 200);
        for _ in 0..20 {
            assert_eq!(client.get("/hello/ada").status, 200);
        }
    }
    let members = clients[0].admin("GET", "/api/v1/members", b"").json();
    let gpu = members.as_array().unwrap().iter().find(|member| member["labels"]["gpu"] == "true").unwrap();
    assert_eq!(ran(&cluster, "/hello/ada", 40), [gpu["id"].as_str().unwrap().to_owned()].into());

    cluster.runners[1].kill();
    let why = "no runner has gpu=true and no pool can start one";
    for client in &clients {
        cluster.until("the alarm is raised", || alarms(client) == [why]);
        let reply = client.until("/hello/ada", |reply| reply.status == 503).json();
        assert_eq!(
            (&reply["type"], &reply["detail"]),
            (&"urn:funcatron:problem:no-runner".into(), &why.into())
        );
        assert_eq!(client.get("/hello-rust").status, 200);
    }
    let listed = clients[0].command(&["routes"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains(why));

    cluster.runners[1].start_again();
    for client in &clients {
        client.until("/hello/ada", |reply| reply.status == 200);
        cluster.until("the alarm is over", || alarms(client).is_empty());
    }
}

#[test]
fn a_runner_that_is_told_to_stop_is_missed_at_once() {
    let mut cluster = Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 1 });
    cluster.add_runner(&GPU, &[]);
    cluster.until_ready();
    cluster.deploy(&asking(&cluster));
    let client = cluster.client();
    client.until("/hello/ada", |reply| reply.status == 200);
    cluster.runners[1].terminate();
    assert!(cluster.runners[1].wait().success());
    cluster.until("the alarm is raised", || !alarms(&client).is_empty());
    assert_eq!(client.get("/hello/ada").status, 503);
    let told = client.command(&["deploy", cluster.folder.path().join("asking").to_str().unwrap()]);
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success() && text.contains("no runner has gpu=true"), "{text}");
}

/// How many queues of Funcs each runner consumes, by the broker.
fn held(cluster: &Cluster) -> Vec<usize> {
    let consumers = cluster.vhost.api(&format!("/consumers/{}", cluster.vhost.name));
    let mut queues: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for consumer in consumers.as_array().unwrap() {
        let queue = consumer["queue"]["name"].as_str().unwrap();
        let connection = consumer["channel_details"]["connection_name"].as_str().unwrap_or_default();
        if queue.starts_with("func.") {
            queues.entry(connection.to_owned()).or_default().insert(queue.to_owned());
        }
    }
    queues.values().map(BTreeSet::len).collect()
}

#[test]
fn funcs_are_shared_out_among_runners_that_cannot_hold_all_of_them() {
    const FUNCS: usize = 30;
    let mut cluster = Cluster::start(program(), Size { frontends: 1, trons: 2, runners: 0 });
    (0..4).for_each(|_| cluster.add_runner(&["--funcs-max", "10", "--threads", "1"], &[]));
    cluster.until_ready();
    let paths: Vec<String> = (0..FUNCS).map(|number| format!("/f{number}")).collect();
    paths.iter().for_each(|path| cluster.deploy_with(&sample("hello-js"), &["--base-path", path]));
    let client = cluster.client();
    let all_answer = || {
        for path in &paths {
            client.until(&format!("{path}/ada"), |reply| reply.status == 200);
        }
    };
    all_answer();
    cluster.until("nobody holds more than it can", || {
        let held = held(&cluster);
        held.len() == 4 && held.iter().all(|funcs| *funcs <= 10) && held.iter().sum::<usize>() >= FUNCS
    });
    cluster.runners[3].kill();
    cluster.until("the others hold what it held", || {
        let held = held(&cluster);
        held.iter().sum::<usize>() >= FUNCS && held.iter().all(|funcs| *funcs <= 10)
    });
    all_answer();
    cluster.runners[2].terminate();
    cluster.until("some have no runner", || alarms(&client).len() >= FUNCS - 20);
    assert!(alarms(&client)[0].contains("full (funcs-max)"));
    cluster.runners[3].start_again();
    cluster.until("all have one again", || alarms(&client).is_empty());
    all_answer();
}
