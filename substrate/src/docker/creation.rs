//! What a container is made from: fixed, but for what the operator's template says.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum,
};

use super::container::labels;
use crate::{ClusterName, Template};

/// Who the image's files belong to.
pub(crate) const USER: &str = "65532:65532";
/// Where a runner writes, and how much: with its limit of memory, since it is memory.
const FOLDERS: [(&str, &str); 2] = [
    ("/tmp", "rw,noexec,nosuid,nodev,mode=1777,size=67108864"),
    ("/var/lib/funcatron", "rw,noexec,nosuid,nodev,uid=65532,gid=65532,mode=700,size=67108864"),
];
/// Where compiled code lies; it is run from there.
const CACHE: &str = "/var/cache/funcatron";

/// The body of a request for a container. Nothing of it comes from who deploys.
pub(super) fn container(
    template: &Template,
    cluster: &ClusterName,
    instance: &str,
    place: (usize, u32),
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: template.image.clone(),
        // What the image is for, `funcatron`, is its entry point: no shell reads this.
        cmd: Some(vec!["runner".to_owned()]),
        env: Some(template.assignments(instance)),
        user: Some(USER.to_owned()),
        labels: Some(labels(template, cluster, instance, place)),
        stop_signal: Some("SIGTERM".to_owned()),
        // For whoever stops it by hand.
        stop_timeout: i64::try_from(template.leave_max().as_secs()).ok(),
        host_config: Some(limits(template)),
        ..Default::default()
    }
}

fn limits(template: &Template) -> HostConfig {
    let mut tmpfs: HashMap<String, String> =
        FOLDERS.iter().map(|(folder, options)| ((*folder).to_owned(), (*options).to_owned())).collect();
    let half = template.memory_max / 2;
    tmpfs.insert(CACHE.to_owned(), format!("rw,exec,nosuid,nodev,uid=65532,gid=65532,mode=700,size={half}"));
    HostConfig {
        nano_cpus: Some(template.nano_cpus()),
        memory: Some(template.memory()),
        // As much as memory alone: no swap.
        memory_swap: Some(template.memory()),
        pids_limit: Some(template.pids_max),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        tmpfs: Some(tmpfs),
        // A runner waits for its own children.
        init: Some(false),
        // Who has ended is replaced by a new one, or not.
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        network_mode: template.network.clone(),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(log_limits()),
        }),
        ..Default::default()
    }
}

/// Enough to see what happened, of as many containers as there are.
pub(crate) fn log_limits() -> HashMap<String, String> {
    [("max-size", "10m"), ("max-file", "2")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::template;

    #[test]
    fn a_container_is_made_from_this_and_nothing_else() {
        let made = container(&template(), &"prod".parse().unwrap(), "default-3-0badcafe", (3, 1));
        // Maps come in any order.
        let made: serde_json::Value = serde_json::to_value(made).unwrap();
        let expected: serde_json::Value = serde_json::from_str(include_str!("container.json")).unwrap();
        assert_eq!(made, expected, "{made:#}");
    }
}
