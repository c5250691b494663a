//! What an operator is told about the settings of `funcatron frontend`, `tron` and `runner`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::process::Command;

use tempfile::TempDir;

const GUEST: &str = "amqp://guest:guest@rabbit.example";

/// What is said to who types this, and the exit code.
fn refused(folder: &TempDir, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_funcatron"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_mistake_is_told_at_once_with_where_it_was_made() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), "in-flight-max = 0\nbrocker = 'x'\n").unwrap();
    let flags =
        ["frontend", "--broker", GUEST, "--store", "nowhere", "--listen", "here", "--config", "a.toml"];
    let (code, said) = refused(&folder, &flags, &[("FUNCATRON_BODY_MAX", "10MB")]);
    assert_eq!(code, 2, "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 7, "{said}");
    for (line, begins) in lines.iter().zip([
        "error: settings are wrong",
        "  brocker in a.toml: there is no such setting; there are ",
        "  --broker: guest ",
        "  --store: ",
        "  --listen: 'here' is no address",
        "  in-flight-max in a.toml: '0' is no number",
        "  FUNCATRON_BODY_MAX: '10MB' is no size",
    ]) {
        assert!(line.starts_with(begins), "{line} is not {begins}");
    }
}

#[test]
fn what_a_service_cannot_do_without_is_asked_for() {
    let folder = TempDir::new().unwrap();
    for (service, missing) in [
        ("frontend", &["broker", "store"][..]),
        ("tron", &["broker", "store", "token"]),
        ("runner", &["broker", "store"]),
    ] {
        let (code, said) = refused(&folder, &[service], &[]);
        assert_eq!(code, 2, "{said}");
        let told: Vec<&str> =
            said.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(told, missing, "{said}");
    }
}

#[test]
fn a_tron_keeps_the_state_itself_and_has_one_token() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("token"), "secret\n").unwrap();
    let flags = ["tron", "--store", "http://tron:3001", "--token-file", "token"];
    let (_, said) = refused(&folder, &flags, &[("FUNCATRON_TOKEN", "other")]);
    assert!(said.contains("  --store: a Tron needs the store itself"), "{said}");
    assert!(said.contains("  token and token-file are both given"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn compiled_code_is_kept_where_others_cannot_write() {
    let folder = TempDir::new().unwrap();
    let flags = ["runner", "--store", "file:///tmp/store", "--broker", "amqp://me:p@rabbit.example"];
    let (_, said) = refused(&folder, &flags, &[("HOME", "/dev/null")]);
    assert!(said.contains("  cache-dir is missing"), "{said}");
}
