//! Containers of a Docker Engine.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use substrate::{Docker, Error, Substrate};
use tempfile::TempDir;

use crate::contract;
use crate::engine::{cluster, host, image, image_on, lines, lines_on};
use crate::stand_in::count;
use crate::subject::{Subject, heard, running, settle, until};

/// Clears away what a test leaves behind.
struct Cluster(String);

impl Drop for Cluster {
    fn drop(&mut self) {
        for cluster in [self.0.clone(), format!("{}-other", self.0)] {
            let filter = format!("label=funcatron.cluster={cluster}");
            let list = ["ps", "--all", "--quiet", "--filter", &filter];
            for container in lines_on(&host(), &list).unwrap_or_default() {
                let _gone_already = lines_on(&host(), &["rm", "--force", "--volumes", &container]);
            }
        }
    }
}

fn subject() -> Subject {
    let cluster = cluster();
    Subject {
        open: Box::new(|cluster| Arc::new(Docker::new(&host(), cluster.parse().unwrap()).unwrap())),
        image: Some(image()),
        cluster: cluster.clone(),
        _kept: Box::new(Cluster(cluster)),
    }
}

contract!(subject());

/// The containers of a cluster, by name.
fn containers(cluster: &str) -> Vec<String> {
    let filter = format!("label=funcatron.cluster={cluster}");
    lines(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"])
}

#[tokio::test]
async fn a_container_may_do_little() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    settle(&*substrate, &template, 1).await;
    let name = containers(&subject.cluster).pop().unwrap();
    assert_eq!(name, format!("funcatron_{}_default_1", subject.cluster));
    let format = "{{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} \
        {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.Config.User}} {{.HostConfig.RestartPolicy.Name}} {{.Path}} {{.Args}}";
    let expected =
        "[ALL] [no-new-privileges:true] true 67108864 500000000 16 65532:65532 no /stand-in [runner]";
    assert_eq!(lines(&["inspect", "--format", format, &name]), [expected]);
}

#[tokio::test]
async fn nothing_is_left_of_who_has_left() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    settle(&*substrate, &template, 3).await;
    settle(&*substrate, &template, 0).await;
    until("all is cleared away", || async {
        heard(substrate.scale(&template, 0, &BTreeSet::new()).await)?;
        containers(&subject.cluster).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_made_when_tron_died_is_started() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    settle(&*substrate, &template, 1).await;
    let name = containers(&subject.cluster).pop().unwrap();
    lines(&["kill", &name]);
    lines(&["rename", &name, "gone"]);
    let labels =
        lines(&["inspect", "--format", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}", "gone"]);
    lines(&["rm", "gone"]);
    let mut create = vec!["create", "--name", &name, "--env", "FUNCATRON_INSTANCE=default-1-made"];
    for label in labels.iter().filter(|label| label.contains('=') && !label.starts_with("funcatron.instance"))
    {
        create.extend(["--label", label]);
    }
    create.extend(["--label", "funcatron.instance=default-1-made", template.image.as_deref().unwrap()]);
    assert_eq!(lines(&create).len(), 1);
    assert_eq!(settle(&*substrate, &template, 1).await, ["default-1-made".to_owned()].into());
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let subject = subject();
    let mut template = subject.template("default");
    template.image = Some("funcatron-nowhere:1".to_owned());
    let error = subject.object().scale(&template, 1, &BTreeSet::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no image funcatron-nowhere:1 on docker at {}", host()));
    template.image = None;
    let error = subject.object().scale(&template, 1, &BTreeSet::new()).await.unwrap_err();
    assert!(matches!(error, Error::ImageMissing(_)), "{error}");
}

#[tokio::test]
async fn a_network_that_is_not_there_is_told() {
    let subject = subject();
    let mut template = subject.template("default");
    template.network = Some("nowhere".to_owned());
    let error = subject.object().scale(&template, 1, &BTreeSet::new()).await.unwrap_err();
    assert!(error.to_string().contains("network nowhere not found"), "{error}");
}

/// An engine that may be killed.
struct Engine(TempDir);

impl Engine {
    fn start(&self) {
        // Whatever else runs, none answers here.
        let started = self.script("start").env("DOCKER_HOST", "unix:///nowhere").output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    }

    /// Ends it with what it has beside it, and waits until nobody takes them for living.
    async fn kill(&self) {
        let pid = |file| std::fs::read_to_string(self.0.path().join(file)).unwrap().trim().to_owned();
        let pids = [pid("pid"), pid("exec/containerd/containerd.pid")];
        for pid in &pids {
            kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
        let are_gone = || pids.iter().all(|pid| !std::fs::exists(format!("/proc/{pid}")).unwrap());
        until("it is dead", || async { are_gone().then_some(()) }).await;
    }

    fn host(&self) -> String {
        format!("unix://{}", self.0.path().join("socket").display())
    }

    fn script(&self, command: &str) -> Command {
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/docker.sh"));
        script.arg(command).arg(self.0.path());
        script
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its containers outlive it, if it was killed.
        for container in lines_on(&self.host(), &["ps", "--all", "--quiet"]).unwrap_or_default() {
            let _gone_already = lines_on(&self.host(), &["rm", "--force", &container]);
        }
        self.script("stop").status().unwrap();
    }
}

#[tokio::test]
async fn a_pool_is_right_again_after_its_engine_was_killed_while_it_grew() {
    let engine = Engine(TempDir::new().unwrap());
    engine.start();
    let subject = subject();
    let mut template = subject.template("default");
    template.image = Some(image_on(&engine.host()));
    template.environment.push(("MARK".to_owned(), subject.cluster.clone()));
    let docker = Docker::new(&engine.host(), subject.cluster.parse().unwrap()).unwrap();
    settle(&docker, &template, 1).await;
    let none = BTreeSet::new();
    tokio::join!(
        async {
            // Whatever it came to.
            let _cut_off = docker.scale(&template, 6, &none).await;
        },
        async {
            until("it grows", || async { (running(&docker, &template).await.len() > 1).then_some(()) }).await;
            engine.kill().await;
        }
    );
    assert!(matches!(docker.instances(&[]).await.unwrap_err(), Error::Unreachable { .. }));
    engine.start();
    // It may not know any more that it has set up one of them, and says so once.
    until("it is itself again", || async { docker.scale(&template, 6, &none).await.ok() }).await;
    let names = settle(&docker, &template, 6).await;
    assert_eq!(count(&format!("MARK={}", subject.cluster)), names.len());
    settle(&docker, &template, 0).await;
}
