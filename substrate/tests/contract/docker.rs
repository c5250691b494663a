//! Containers of a Docker Engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use substrate::{Docker, Error};

use crate::contract;
use crate::engine::{cluster, docker, host, image, lines};
use crate::subject::{Subject, settle, until};

/// Clears away what a test leaves behind.
struct Cluster(String);

impl Drop for Cluster {
    fn drop(&mut self) {
        for cluster in [self.0.clone(), format!("{}-other", self.0)] {
            let filter = format!("label=funcatron.cluster={cluster}");
            for container in lines(&["ps", "--all", "--quiet", "--filter", &filter]) {
                docker(&["rm", "--force", "--volumes", &container]);
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
        substrate.scale(&template, 0, &BTreeSet::new()).await.unwrap();
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
    docker(&["kill", &name]);
    docker(&["rename", &name, "gone"]);
    let labels =
        lines(&["inspect", "--format", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}", "gone"]);
    docker(&["rm", "gone"]);
    let mut create = vec!["create", "--name", &name, "--env", "FUNCATRON_INSTANCE=default-1-made"];
    for label in labels.iter().filter(|label| label.contains('=') && !label.starts_with("funcatron.instance"))
    {
        create.extend(["--label", label]);
    }
    create.extend(["--label", "funcatron.instance=default-1-made", template.image.as_deref().unwrap()]);
    assert!(docker(&create).status.success());
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
