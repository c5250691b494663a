//! `Node`: a RabbitMQ of one's own, for whoever has to do something terrible to it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::broker::BrokerUrl;

/// A node that ends with this.
pub(super) struct Node {
    folder: TempDir,
}

impl Node {
    pub(super) fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    /// With TLS, if there is a certificate in the folder.
    pub(super) fn start_in(folder: TempDir) -> Self {
        let node = Self { folder };
        node.run("start", &[]);
        node
    }

    /// Starts it again, on the same port.
    pub(super) fn start_again(&self) {
        self.run("start", &[]);
    }

    pub(super) fn ctl(&self, arguments: &[&str]) {
        self.run("ctl", arguments);
    }

    pub(super) fn url(&self) -> BrokerUrl {
        BrokerUrl::parse(&self.address()).unwrap()
    }

    /// Its address as text.
    pub(super) fn address(&self) -> String {
        let env = std::fs::read_to_string(self.folder.path().join("env")).unwrap();
        env.lines().next().unwrap().split_once('=').unwrap().1.to_owned()
    }

    /// Where its data lie.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn signal(&self, signal: &str) {
        assert!(self.try_signal(signal), "kill {signal}");
    }

    fn try_signal(&self, signal: &str) -> bool {
        let Ok(pid) = std::fs::read_to_string(self.folder.path().join("pid")) else { return false };
        Command::new("kill").args([signal, pid.trim()]).status().is_ok_and(|status| status.success())
    }

    fn run(&self, command: &str, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/rabbitmq.sh");
        let mut command_line = Command::new(script);
        command_line.env("PLUGINS", "").arg(command).arg(self.folder.path()).args(arguments);
        let output = command_line.output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be dead already, when that is what the test is about.
        let _dead = self.try_signal("-KILL");
    }
}
