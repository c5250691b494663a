//! `funcatron dev` as a process: what it leaves on the disk, and how it ends.

use std::fs;

use crate::harness::{Platform, sample};

#[cfg(unix)]
#[test]
fn the_token_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::serving(&[&sample("hello-rust")]);
    let token = fs::metadata(platform.folder().join("state/token")).unwrap();
    assert_eq!(token.permissions().mode() & 0o777, 0o600);
}

#[test]
fn termination_lets_go_of_the_port() {
    let mut platform = Platform::serving(&[&sample("hello-rust")]);
    let address = platform.url.trim_start_matches("http://").to_owned();
    assert!(platform.terminate().success());
    std::net::TcpListener::bind(address).unwrap();
}
