//! How the processes of a cluster start and stop.

use std::io::Write;
use std::net::TcpListener;

use harness::{Cluster, Process, Size, Vhost};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::program;
use crate::held::Held;

const ONE: Size = Size { frontends: 1, trons: 1, runners: 1 };

#[test]
fn each_process_ends_well_when_it_is_told_to() {
    let mut cluster = Cluster::start(program(), ONE);
    let processes = cluster.frontends.iter_mut().chain(&mut cluster.trons).map(|(process, _)| process);
    for process in processes.chain(&mut cluster.runners) {
        process.terminate();
        assert!(process.wait().success());
    }
}

#[test]
fn a_call_that_runs_is_answered_before_its_frontend_and_runner_end() {
    let mut cluster = Cluster::start(program(), ONE);
    let held = Held::begin(&cluster);
    cluster.frontends[0].0.terminate();
    cluster.runners[0].terminate();
    cluster.frontends[0].0.says("stopping");
    cluster.runners[0].says("stopping");
    let reply = held.end();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("done"), "{reply}");
    assert!(cluster.frontends[0].0.wait().success());
    assert!(cluster.runners[0].wait().success());
}

#[test]
fn a_runner_that_ends_is_given_no_more_calls() {
    let mut cluster = Cluster::start(program(), ONE);
    let held = Held::begin(&cluster);
    cluster.add_runner(&[], &[]);
    cluster.until_ready();
    cluster.runners[0].terminate();
    cluster.runners[0].says("stopping");
    let client = cluster.client();
    for _ in 0..20 {
        assert_eq!(client.get("/hostile/polite").status, 200);
    }
    assert!(!cluster.runners[0].has_ended());
    assert!(held.end().ends_with("done"));
    assert!(cluster.runners[0].wait().success());
}

#[test]
fn a_call_that_does_not_end_holds_its_runner_up_no_longer_than_it_may() {
    let mut cluster = Cluster::start(program(), Size { runners: 0, ..ONE });
    cluster.add_runner(&["--drain-timeout", "300ms"], &[]);
    cluster.until_ready();
    let held = Held::begin(&cluster);
    cluster.runners[0].terminate();
    assert!(cluster.runners[0].wait().success());
    // Nobody has answered the Func by now.
    drop(held);
}

#[test]
fn ctrl_c_ends_a_process_that_stops_at_once() {
    for first in [Signal::TERM, Signal::INT] {
        let mut cluster = Cluster::start(program(), ONE);
        let mut open = cluster.client().connect();
        open.write_all(b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n").unwrap();
        let frontend = &mut cluster.frontends[0].0;
        frontend.signal(first);
        frontend.says("stopping");
        frontend.signal(Signal::INT);
        assert_eq!(frontend.wait().code(), Some(130), "{first:?}");
    }
}

#[test]
fn to_be_told_to_stop_again_and_again_does_no_harm() {
    let mut cluster = Cluster::start(program(), ONE);
    let held = Held::begin(&cluster);
    for _ in 0..3 {
        cluster.frontends[0].0.terminate();
        cluster.runners[0].terminate();
    }
    cluster.frontends[0].0.says("stopping");
    cluster.runners[0].says("stopping");
    for _ in 0..3 {
        cluster.frontends[0].0.terminate();
        cluster.runners[0].terminate();
    }
    let reply = held.end();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("done"), "{reply}");
    assert!(cluster.frontends[0].0.wait().success());
    assert!(cluster.runners[0].wait().success());
}

#[test]
fn a_process_waits_for_its_broker_and_can_be_told_to_stop_waiting() {
    let folder = TempDir::new().unwrap();
    // Bound and not listened on by anybody who speaks AMQP.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let broker = format!("amqp://me:secret@127.0.0.1:{port}");
    let store = format!("--store=file://{}", folder.path().display());
    let arguments = ["frontend", &store, "--broker", &broker];
    let mut process = Process::start(program(), folder.path(), &arguments, &[]);
    assert_eq!(process.logged("broker"), format!("amqp://me@127.0.0.1:{port}/"));
    process.terminate();
    assert!(process.wait().success());
}

#[test]
fn a_broker_that_refuses_us_is_told_without_the_password() {
    let vhost = Vhost::new();
    let folder = TempDir::new().unwrap();
    let broker = vhost.url.replace('@', "-wrong@");
    let store = format!("--store=file://{}", folder.path().display());
    let arguments = ["frontend", "--listen=127.0.0.1:0", &store, "--broker", &broker];
    let mut frontend = Process::start(program(), folder.path(), &arguments, &[]);
    assert_eq!(frontend.wait().code(), Some(1));
    let told = frontend.said();
    assert!(told.contains("connect to amqp://") && !told.contains("-wrong"), "{told}");
}
