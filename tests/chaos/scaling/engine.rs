//! `Engine`: a Docker Engine of its own, that manages a Swarm, and what can be done to it.

use std::path::Path;
use std::process::{Command as Blocking, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::super::cluster::PROGRAM;

/// Dropping it ends it, and everything that runs in it.
pub(super) struct Engine {
    folder: TempDir,
}

/// What containers of runners are made from.
pub(super) const IMAGE: &str = "funcatron-chaos";
/// To start it and to make an image takes many seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to answer; one that is gone does not.
const ANSWER_MAX: Duration = Duration::from_secs(5);

impl Engine {
    /// Starts it, with an image of the program under test.
    pub(super) async fn start() -> Result<Self> {
        let engine = Self { folder: TempDir::new()? };
        engine.script("own").await?;
        let image = command("image.sh").args([IMAGE, PROGRAM]).env("DOCKER_HOST", engine.host()).output();
        let made = timeout(PATIENCE, image).await.context("make an image")??;
        if !made.status.success() {
            bail!("make an image: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(engine)
    }

    /// Where it listens.
    pub(super) fn host(&self) -> String {
        format!("unix://{}", self.socket())
    }

    /// Ends it without warning.
    pub(super) fn kill(&self) -> Result<()> {
        let path = self.folder.path().join("pid");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let pid = Pid::from_raw(text.trim().parse()?).context("no process has the id 0")?;
        kill_process(pid, Signal::KILL).context("kill the engine")
    }

    /// Starts it again with what it had, and waits until it answers.
    pub(super) async fn restart(&self) -> Result<()> {
        self.script("again").await
    }

    /// Asks it for something.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        let body = self.ask(Method::GET, path).await?;
        serde_json::from_slice(&body).with_context(|| format!("{path}: {}", String::from_utf8_lossy(&body)))
    }

    /// Has it do something.
    pub(super) async fn ask(&self, method: Method, path: &str) -> Result<Bytes> {
        timeout(ANSWER_MAX, self.exchange(method, path)).await.context("the engine does not answer")?
    }

    async fn exchange(&self, method: Method, path: &str) -> Result<Bytes> {
        let stream = UnixStream::connect(self.socket()).await.context("connect to the engine")?;
        let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the connection.
        tokio::spawn(driver);
        let request = Request::builder().method(method).uri(path).header("host", "docker");
        let response = connection.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let (status, body) = (response.status(), response.into_body().collect().await?.to_bytes());
        if !status.is_success() {
            bail!("{path}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }

    async fn script(&self, task: &str) -> Result<()> {
        let run = command("docker.sh").arg(task).arg(self.folder.path()).output();
        let output = timeout(PATIENCE, run).await.with_context(|| format!("docker.sh {task}"))??;
        if !output.status.success() {
            bail!("docker.sh {task}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Nobody is left to hear that it did not.
        let _ended = Blocking::new(script("docker.sh")).arg("stop").arg(self.folder.path()).status();
    }
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts").join(name)
}

fn command(name: &str) -> Command {
    let mut command = Command::new(script(name));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}
