//! `Record`: what is known of one process, as it lies in the folder.

use serde::{Deserialize, Serialize};
use wire::{PoolName, Timestamp};

use super::identity::Identity;
use crate::Template;
use crate::pool::{Found, Phase};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) instance: String,
    pub(super) pool: PoolName,
    number: usize,
    template: String,
    attempt: u32,
    leave_max_ms: u64,
    pub(super) started_at: Timestamp,
    /// Missing while it is being started.
    pub(super) identity: Option<Identity>,
    pub(super) leaving_since: Option<Timestamp>,
    pub(super) ended: Option<Ended>,
    /// The name of its file says that.
    #[serde(skip)]
    pub(super) is_leaving: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) reason: String,
}

impl Record {
    pub(super) fn new(template: &Template, instance: &str, number: usize, attempt: u32) -> Self {
        Self {
            instance: instance.to_owned(),
            pool: template.pool.clone(),
            number,
            template: template.fingerprint(),
            attempt,
            leave_max_ms: u64::try_from(template.leave_max().as_millis()).unwrap_or(u64::MAX),
            started_at: Timestamp::now(),
            identity: None,
            leaving_since: None,
            ended: None,
            is_leaving: false,
        }
    }

    /// The name of its file: two runners cannot have the same place, since two files cannot have the same name.
    pub(super) fn file(&self) -> String {
        if self.is_leaving { self.leaving_file() } else { format!("{}_{}.json", self.pool, self.number) }
    }

    pub(super) fn leaving_file(&self) -> String {
        format!("{}_{LEAVING}_{}.json", self.pool, self.instance)
    }

    /// The same, of what lies in a file of this name.
    pub(super) fn in_file(self, name: &str) -> Self {
        // A pool's name has no `_` in it.
        let is_leaving = name.split('_').nth(1) == Some(LEAVING);
        Self { is_leaving, ..self }
    }

    pub(super) fn terminate(&self) {
        if let Some(identity) = &self.identity {
            identity.terminate();
        }
    }

    pub(super) fn found(&self) -> Found {
        Found {
            id: self.instance.clone(),
            name: self.instance.clone(),
            pool: self.pool.to_string(),
            template: self.template.clone(),
            number: (!self.is_leaving).then_some(self.number),
            attempt: self.attempt,
            phase: self.phase(Timestamp::now()),
        }
    }

    fn phase(&self, now: Timestamp) -> Phase {
        match &self.ended {
            Some(ended) => Phase::Ended {
                ran: ended.at.since(self.started_at),
                since: now.since(ended.at),
                reason: ended.reason.clone(),
            },
            None => {
                let leaves_for = self.leaving_since.map(|since| now.since(since).as_millis());
                Phase::Running { is_overdue: leaves_for > Some(self.leave_max_ms.into()) }
            }
        }
    }
}

/// In a file's name, where the number of a runner in its place would be.
const LEAVING: &str = "leaving";
