//! A Tron that starts runners, as processes of its machine.

use std::fs;

use harness::{Cluster, Size};

use crate::harness::{program, sample};

#[test]
fn a_func_with_no_runner_gets_one_and_it_leaves_with_its_tron() {
    let mut cluster = Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 0 });
    let folder = cluster.folder.path();
    let file = folder.join("scaling.toml");
    let (broker, folder) = (cluster.vhost.url_of("runner"), folder.display());
    let text = format!(
        "substrate = 'process'\n[process]\ndir = '{folder}/runners'\n\
         [runner]\nbroker = '{broker}'\nstore = 'file://{folder}/store'\n[pool.default]\nrunners-min = 0\n"
    );
    fs::write(&file, text).unwrap();
    let accounts = cluster.folder.path().join("runners/funcatron");
    cluster.add_tron(&["--scaling", file.to_str().unwrap()]);
    cluster.deploy(&sample("hello-js"));
    let client = cluster.client();
    assert_eq!(client.get("/hello/ada").status, 200);
    cluster.until("an operator sees it", || {
        let shown = client.command(&["top", "--once"]);
        String::from_utf8_lossy(&shown.stdout).contains("pool default: 1 of 1 ready")
    });

    let runners = || fs::read_dir(&accounts).unwrap().filter_map(Result::ok).filter(is_account).count();
    assert_eq!(runners(), 1);
    cluster.trons[1].0.terminate();
    assert!(cluster.trons[1].0.wait().success());
    assert_eq!(runners(), 0);
}

/// Whether a runner is told of there, and not what it printed.
fn is_account(entry: &fs::DirEntry) -> bool {
    entry.path().extension().is_some_and(|extension| extension == "json")
}
