//! `Broker`: a RabbitMQ node of its own, and what can be done to it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use harness::Vhost;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::clock::until;

/// Dropping it ends the node and removes what it wrote.
pub(crate) struct Broker {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    url: String,
    api: String,
}

/// A node boots for several seconds, on a busy machine for many.
const PATIENCE: Duration = Duration::from_secs(90);

impl Broker {
    pub(crate) async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let env = script(folder.path(), "start", &[]).await?;
        let variable = |name: &str| {
            let line = env.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.map(str::to_owned).with_context(|| format!("no {name} in {env}"))
        };
        let (url, api) = (variable("FUNCATRON_TEST_BROKER")?, variable("FUNCATRON_TEST_BROKER_API")?);
        let (_, address) = url.split_once('@').context("no credentials")?;
        Ok(Self { folder, address: address.parse()?, url, api })
    }

    /// A virtual host on it.
    pub(crate) fn vhost(&self) -> Vhost {
        Vhost::on(&self.url, &self.api)
    }

    /// Ends it without warning.
    pub(crate) async fn kill(&self) -> Result<()> {
        let pid = self.pid()?;
        end(pid);
        until("the broker is gone", PATIENCE, async || {
            !Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()
        })
        .await
    }

    /// Starts it again with what it had stored, and waits until it serves.
    pub(crate) async fn restart(&self) -> Result<()> {
        script(self.folder.path(), "start", &[]).await.map(|_env| ())
    }

    pub(crate) async fn close_connections(&self) -> Result<()> {
        self.ctl(&["close_all_connections", "--global", "chaos"]).await.map(|_| ())
    }

    /// Raises the memory alarm, or clears it.
    pub(crate) async fn alarm(&self, is_raised: bool) -> Result<()> {
        let watermark = if is_raised { "0" } else { "0.4" };
        self.ctl(&["set_vm_memory_high_watermark", watermark]).await.map(|_| ())
    }

    /// How many messages lie in each queue of a virtual host, at this moment.
    pub(crate) async fn depths(&self, vhost: &str) -> Result<Vec<(String, u64)>> {
        let listed = self.ctl(&["list_queues", "--silent", "-p", vhost, "name", "messages"]).await?;
        let depth = |line: &str| {
            let (name, messages) = line.split_once('\t').with_context(|| format!("not a queue: {line}"))?;
            Ok((name.to_owned(), messages.trim().parse()?))
        };
        listed.lines().filter(|line| !line.starts_with("name\t")).map(depth).collect()
    }

    async fn ctl(&self, arguments: &[&str]) -> Result<String> {
        script(self.folder.path(), "ctl", arguments).await
    }

    fn pid(&self) -> Result<Pid> {
        let path = self.folder.path().join("pid");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Pid::from_raw(text.trim().parse()?).context("no process has the id 0")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Ok(pid) = self.pid() {
            end(pid);
        }
    }
}

fn end(pid: Pid) {
    // It may have ended by itself.
    let _ended = kill_process(pid, Signal::KILL);
}

async fn script(folder: &Path, command: &str, arguments: &[&str]) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/rabbitmq.sh");
    let run = Command::new(script)
        .arg(command)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, run).await.with_context(|| format!("rabbitmq.sh {command}"))??;
    if !output.status.success() {
        bail!("rabbitmq.sh {command} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
