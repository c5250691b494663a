//! `Retries`: how often a call that failed is begun anew, as its operation says.

use std::time::Duration;

use serde_json::Value;

use crate::{
    node::{Node, join},
    operations::read_duration,
    reader::Reader,
};

/// With waits that double, a day is over long before.
const MAX: u32 = 20;
/// The first wait when the document names none: long enough for a moment's trouble to pass.
const BACKOFF: Duration = Duration::from_secs(1);

/// How often a call is begun anew that failed, when nobody waits for it (`x-funcatron-retries`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    max: u32,
    backoff: Duration,
}

impl Retries {
    /// How long to wait before a call is begun anew that failed and was begun anew `retry` times before;
    /// none when that was the last time. Each wait is twice as long as the one before.
    pub fn wait(&self, retry: u32) -> Option<Duration> {
        let factor = 1 << retry.min(MAX);
        (retry < self.max).then(|| self.backoff.saturating_mul(factor))
    }
}

impl<'v> Reader<'v> {
    /// `x-funcatron-retries`: `{max: 5, backoff: 2s}`.
    pub(crate) fn retries(&mut self, node: &Node<'v>) -> Option<Retries> {
        let written = node.child("x-funcatron-retries")?;
        if !written.value.is_object() {
            self.fault(written.pointer, "retries are written {max: 5, backoff: 2s}");
            return None;
        }
        for (key, member) in written.members().filter(|(key, _)| !matches!(*key, "max" | "backoff")) {
            self.fault(member.pointer, format!("retries have max and backoff, and no {key}"));
        }
        let max = written.value.get("max").and_then(Value::as_u64).and_then(|max| u32::try_from(max).ok());
        let max = max.filter(|max| (1..=MAX).contains(max));
        if max.is_none() {
            self.fault(join(&written.pointer, "max"), format!("max is a number from 1 to {MAX}"));
        }
        let backoff = match written.child("backoff") {
            None => Some(BACKOFF),
            Some(backoff) => self.backoff(backoff),
        };
        Some(Retries { max: max?, backoff: backoff? })
    }

    fn backoff(&mut self, written: Node<'v>) -> Option<Duration> {
        let backoff = read_duration(written.value);
        if backoff.is_none() {
            self.fault(written.pointer, "a backoff is written \"5s\" or as a number of seconds above zero");
        }
        backoff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_the_last_time() {
        let retries = Retries { max: 3, backoff: Duration::from_secs(2) };
        let waits: Vec<_> = (0..4).map(|retry| retries.wait(retry).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(2), Some(4), Some(8), None]);
        assert_eq!(retries.wait(u32::MAX), None);
    }
}
