//! What a service is made from: as a container, as far as a Swarm can say it.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    EndpointSpec, EndpointSpecModeEnum, Limit, Mount, MountTmpfsOptions, MountType, NetworkAttachmentConfig,
    Service, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, ServiceSpecUpdateConfig,
    ServiceSpecUpdateConfigFailureActionEnum, ServiceSpecUpdateConfigOrderEnum, TaskSpec,
    TaskSpecContainerSpec, TaskSpecContainerSpecPrivileges, TaskSpecLogDriver, TaskSpecResources,
    TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};

use crate::docker::container::{CLUSTER, POOL, TEMPLATE};
use crate::docker::creation::{USER, log_limits};
use crate::{ClusterName, Template};

/// A Swarm starts again what has ended after always the same pause.
pub(super) const RESTART_DELAY: Duration = Duration::from_secs(2);
/// Between two replacements: the new one has that long to come to serve.
const UPDATE_DELAY: Duration = Duration::from_secs(5);
const TMPFS_BYTES: i64 = 64 << 20;

/// The body of a request for a service. Nothing of it comes from who deploys.
pub(super) fn specification(template: &Template, cluster: &ClusterName, count: usize) -> ServiceSpec {
    ServiceSpec {
        name: Some(cluster.of_pool(template.pool.as_str())),
        labels: Some(labels(template, cluster)),
        task_template: Some(task(template, cluster)),
        mode: Some(replicated(count)),
        update_config: Some(ServiceSpecUpdateConfig {
            parallelism: Some(1),
            delay: nanos(UPDATE_DELAY),
            // What does not start is not put in the place of what runs.
            failure_action: Some(ServiceSpecUpdateConfigFailureActionEnum::PAUSE),
            monitor: nanos(UPDATE_DELAY),
            order: Some(ServiceSpecUpdateConfigOrderEnum::START_FIRST),
            ..Default::default()
        }),
        // Nobody connects to a runner: it takes no address.
        endpoint_spec: Some(EndpointSpec { mode: Some(EndpointSpecModeEnum::DNSRR), ports: None }),
        ..Default::default()
    }
}

pub(super) fn replicated(count: usize) -> ServiceSpecMode {
    let replicas = i64::try_from(count).ok();
    ServiceSpecMode { replicated: Some(ServiceSpecModeReplicated { replicas }), ..Default::default() }
}

pub(super) fn replicas(service: &Service) -> usize {
    let mode = service.spec.as_ref().and_then(|spec| spec.mode.as_ref()?.replicated.as_ref()?.replicas);
    mode.and_then(|replicas| usize::try_from(replicas).ok()).unwrap_or_default()
}

fn labels(template: &Template, cluster: &ClusterName) -> HashMap<String, String> {
    let labels = [
        (CLUSTER, cluster.to_string()),
        (POOL, template.pool.to_string()),
        (TEMPLATE, template.fingerprint()),
    ];
    labels.map(|(name, value)| (name.to_owned(), value)).into()
}

fn task(template: &Template, cluster: &ClusterName) -> TaskSpec {
    let network =
        |network: &String| NetworkAttachmentConfig { target: Some(network.clone()), ..Default::default() };
    TaskSpec {
        container_spec: Some(container(template, cluster)),
        resources: Some(TaskSpecResources {
            limits: Some(Limit {
                nano_cpus: Some(template.nano_cpus()),
                memory_bytes: Some(template.memory()),
                pids: Some(template.pids_max),
            }),
            ..Default::default()
        }),
        restart_policy: Some(TaskSpecRestartPolicy {
            condition: Some(TaskSpecRestartPolicyConditionEnum::ANY),
            delay: nanos(RESTART_DELAY),
            ..Default::default()
        }),
        networks: template.network.as_ref().map(|name| vec![network(name)]),
        log_driver: Some(TaskSpecLogDriver {
            name: Some("json-file".to_owned()),
            options: Some(log_limits()),
        }),
        ..Default::default()
    }
}

fn container(template: &Template, cluster: &ClusterName) -> TaskSpecContainerSpec {
    // The Swarm fills in which of its tasks it is: `instance` in `task.rs` comes to the same.
    let instance = format!("{}-{{{{.Task.Slot}}}}-{{{{.Task.ID}}}}", template.pool);
    TaskSpecContainerSpec {
        image: template.image.clone(),
        labels: Some(labels(template, cluster)),
        args: Some(vec!["runner".to_owned()]),
        env: Some(template.assignments(&instance)),
        user: Some(USER.to_owned()),
        privileges: Some(TaskSpecContainerSpecPrivileges {
            no_new_privileges: Some(true),
            ..Default::default()
        }),
        read_only: Some(true),
        mounts: Some(mounts()),
        stop_signal: Some("SIGTERM".to_owned()),
        stop_grace_period: nanos(template.leave_max()),
        init: Some(false),
        capability_drop: Some(vec!["ALL".to_owned()]),
        ..Default::default()
    }
}

/// Where a runner writes. Nothing can be run from a tmpfs of a Swarm: what is compiled goes to a volume without a
/// name, which belongs to whom the image says and goes with its container.
fn mounts() -> Vec<Mount> {
    let tmpfs = |target: &str| Mount {
        target: Some(target.to_owned()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: Some(TMPFS_BYTES),
            mode: Some(0o1777),
            ..Default::default()
        }),
        ..Default::default()
    };
    let cache = Mount {
        target: Some("/var/cache/funcatron".to_owned()),
        typ: Some(MountType::VOLUME),
        ..Default::default()
    };
    vec![tmpfs("/tmp"), tmpfs("/var/lib/funcatron"), cache]
}

fn nanos(duration: Duration) -> Option<i64> {
    i64::try_from(duration.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::template;

    #[test]
    fn a_service_is_made_from_this_and_nothing_else() {
        let made = specification(&template(), &"prod".parse().unwrap(), 3);
        let made: serde_json::Value = serde_json::to_value(made).unwrap();
        let expected: serde_json::Value = serde_json::from_str(include_str!("service.json")).unwrap();
        assert_eq!(made, expected, "{made:#}");
    }
}
