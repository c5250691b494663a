//! Services of a Docker Swarm.

use std::collections::BTreeSet;
use std::sync::Arc;

use substrate::Swarm;

use crate::contract;
use crate::engine::{cluster, host, image, lines, lines_on};
use crate::subject::{Subject, heard, settle, until};

/// Clears away what a test leaves behind.
struct Cluster(String);

impl Drop for Cluster {
    fn drop(&mut self) {
        for cluster in [self.0.clone(), format!("{}-other", self.0)] {
            for service in services(&cluster).unwrap_or_default() {
                let _gone_already = lines_on(&host(), &["service", "rm", &service]);
            }
        }
    }
}

fn subject() -> Subject {
    let cluster = cluster();
    Subject {
        open: Box::new(|cluster| Arc::new(Swarm::new(&host(), cluster.parse().unwrap()).unwrap())),
        image: Some(image()),
        cluster: cluster.clone(),
        _kept: Box::new(Cluster(cluster)),
    }
}

contract!(subject());

fn services(cluster: &str) -> Result<Vec<String>, String> {
    let filter = format!("label=funcatron.cluster={cluster}");
    lines_on(&host(), &["service", "ls", "--filter", &filter, "--format", "{{.Name}}"])
}

#[tokio::test]
async fn a_service_of_no_pool_goes_once_its_tasks_have_left() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    settle(&*substrate, &template, 2).await;
    assert_eq!(services(&subject.cluster).unwrap(), [format!("funcatron_{}_default", subject.cluster)]);
    until("it is gone", || async {
        heard(substrate.retire(&[]).await)?;
        heard(services(&subject.cluster))?.is_empty().then_some(())
    })
    .await;
    assert_eq!(substrate.instances(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn a_task_may_do_little() {
    let subject = subject();
    let (substrate, template) = (subject.object(), subject.template("default"));
    settle(&*substrate, &template, 1).await;
    let filter = format!("label=funcatron.cluster={}", subject.cluster);
    let container = lines(&["ps", "--quiet", "--filter", &filter]).pop().unwrap();
    let format = "{{.HostConfig.CapDrop}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} \
        {{.HostConfig.PidsLimit}} {{.Config.User}} {{.Path}} {{.Args}}";
    let expected = "[ALL] true 67108864 500000000 16 65532:65532 /stand-in [runner]";
    assert_eq!(lines(&["inspect", "--format", format, &container]), [expected]);
}

#[tokio::test]
async fn a_pool_of_none_is_no_service_before_it_is_needed() {
    let subject = subject();
    subject.object().scale(&subject.template("default"), 0, &BTreeSet::new()).await.unwrap();
    assert_eq!(services(&subject.cluster).unwrap(), [""; 0]);
}
