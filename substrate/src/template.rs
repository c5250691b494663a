//! `Template`: what the runners of a pool are made from.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::{Labels, PoolName};

/// How to make a runner of a pool. All of it is the operator's: nothing that somebody deploys gets in here.
#[derive(Clone, PartialEq, Serialize)]
pub struct Template {
    /// The pool.
    pub pool: PoolName,
    /// What its runners have.
    pub labels: Labels,
    /// The image of its containers.
    pub image: Option<String>,
    /// How many processors' time each may take; containers only, as the limits below.
    pub cpus: f64,
    /// How many bytes of memory each may take.
    pub memory_max: u64,
    /// How many processes and threads each may have.
    pub pids_max: i64,
    /// Settings of its runners, as variables of their environment: the broker, the store, the token.
    pub environment: Vec<(String, String)>,
    /// The network of its containers.
    pub network: Option<String>,
    /// How long a runner may take to finish what it has when it is told to leave.
    pub drain_timeout: Duration,
}

impl Template {
    /// How long after it was told to leave a runner is ended: it has its time to drain, and a while to tell.
    pub(crate) fn leave_max(&self) -> Duration {
        self.drain_timeout + Duration::from_secs(10)
    }

    /// Tells whether something was made from this template.
    pub(crate) fn fingerprint(&self) -> String {
        // Cannot fail: a template is text and numbers. If it did, every runner would count as current.
        let text = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The variables that an instance finds: what is ours to say stands before what the operator says.
    pub(crate) fn variables(&self, instance: &str) -> BTreeMap<String, String> {
        let mut variables: BTreeMap<String, String> = self.environment.iter().cloned().collect();
        variables.extend([
            ("FUNCATRON_POOL".to_owned(), self.pool.to_string()),
            ("FUNCATRON_INSTANCE".to_owned(), instance.to_owned()),
            ("FUNCATRON_DRAIN_TIMEOUT".to_owned(), format!("{}ms", self.drain_timeout.as_millis())),
        ]);
        if !self.labels.is_empty() {
            variables.insert("FUNCATRON_LABELS".to_owned(), self.labels.to_string());
        }
        variables
    }

    /// The same as a container takes them.
    pub(crate) fn assignments(&self, instance: &str) -> Vec<String> {
        self.variables(instance).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// Processors' time, in the engine's unit.
    pub(crate) fn nano_cpus(&self) -> i64 {
        // Saturates, which is no limit.
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of nano-processors")]
        let nano_cpus = (self.cpus * 1e9).round() as i64;
        nano_cpus
    }

    /// Memory, in the engine's type.
    pub(crate) fn memory(&self) -> i64 {
        i64::try_from(self.memory_max).unwrap_or(i64::MAX)
    }
}

/// Says which variables there are, not what is in them.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.environment.iter().map(|(name, _secret)| name.as_str()).collect();
        f.debug_struct("Template")
            .field("pool", &self.pool)
            .field("labels", &self.labels)
            .field("image", &self.image)
            .field("environment", &names)
            .finish_non_exhaustive()
    }
}

/// The name of a further instance of a pool: no other one ever has it.
pub(crate) fn instance_name(pool: &PoolName, number: usize) -> String {
    format!("{pool}-{number}-{:08x}", fastrand::u32(..))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn template() -> Template {
        Template {
            pool: PoolName::parse("default").unwrap(),
            labels: "gpu=true,zone=a".parse().unwrap(),
            image: Some("funcatron:1".to_owned()),
            cpus: 1.5,
            memory_max: 1 << 30,
            pids_max: 512,
            environment: vec![("FUNCATRON_BROKER".to_owned(), "amqp://runner:secret@rabbit/f".to_owned())],
            network: Some("host".to_owned()),
            drain_timeout: Duration::from_secs(30),
        }
    }

    #[test]
    fn whatever_changes_makes_another_template() {
        let (same, mut other) = (template(), template());
        assert_eq!(template().fingerprint(), same.fingerprint());
        other.cpus = 2.0;
        assert_ne!(template().fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_runner_is_told_who_it_is_whatever_the_operator_says() {
        let mut template = template();
        template.environment.push(("FUNCATRON_INSTANCE".to_owned(), "other".to_owned()));
        let variables = template.variables("default-1-a");
        assert_eq!(variables["FUNCATRON_INSTANCE"], "default-1-a");
        assert_eq!(variables["FUNCATRON_LABELS"], "gpu=true,zone=a");
        assert_eq!(variables["FUNCATRON_DRAIN_TIMEOUT"], "30000ms");
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", template()).contains("secret"));
    }
}
