//! How the processes of a cluster start and stop.

use std::io::Write;
use std::net::TcpListener;

use harness::{Cluster, Process, Size, Vhost};
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
