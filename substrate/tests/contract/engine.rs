//! The Docker Engine of the tests, and the image that it runs.

use std::io::Write;
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::stand_in::stand_in;

/// Where it is.
pub(crate) fn host() -> String {
    std::env::var("FUNCATRON_TEST_DOCKER")
        .expect("FUNCATRON_TEST_DOCKER: run scripts/nextest.sh, or eval \"$(scripts/docker.sh own DIR)\"")
}

/// The image of the stand-in, made if the engine does not have it.
pub(crate) fn image() -> String {
    image_on(&host())
}

/// The same, on another engine.
pub(crate) fn image_on(host: &str) -> String {
    let program = stand_in();
    let sha: String = Sha256::digest(std::fs::read(&program).unwrap())
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("funcatron-stand-in:{sha}");
    if !command(host, &["image", "inspect", &tag]).output().unwrap().status.success() {
        let folder = program.parent().unwrap().to_str().unwrap();
        let archive = Command::new("tar").args(["-C", folder, "-c", "stand-in"]).output().unwrap().stdout;
        let mut import = command(host, &["import", "--change", "ENTRYPOINT [\"/stand-in\"]", "-", &tag])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(&archive).unwrap();
        assert!(import.wait().unwrap().success());
    }
    tag
}

/// Asks the engine for something, and gives what it says by line.
pub(crate) fn lines(arguments: &[&str]) -> Vec<String> {
    lines_on(&host(), arguments).unwrap()
}

/// The same, of another engine. What it refuses is told, not taken for nothing.
pub(crate) fn lines_on(host: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
    let answer = command(host, arguments).stdin(Stdio::null()).output().expect("docker: run 'make setup'");
    if !answer.status.success() {
        return Err(String::from_utf8_lossy(&answer.stderr).into_owned());
    }
    Ok(String::from_utf8(answer.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn command(host: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.arg("--host").arg(host).args(arguments);
    command
}

/// A name that no other test has.
pub(crate) fn cluster() -> String {
    format!("t{:08x}", fastrand::u32(..))
}
