//! `Config`: what an operator can choose about a frontend.

use std::str::FromStr;
use std::time::Duration;

use telemetry::Tracer;
use wire::calls;
use wire::egress::AllowList;
use wire::http::Limits;
use wire::{MemberId, Namespace, Role};

use crate::Metrics;

/// As long as load balancers usually wait; the timeouts of operations lie within it.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The time an answer that was sent at the very deadline needs to arrive: its 504 says more than ours.
const ANSWER_GRACE: Duration = Duration::from_millis(250);
/// Half of what may wait in the queue of requests, so that two frontends fill it.
const IN_FLIGHT_MAX: usize = 8_192;

/// What people upload by hand. Whoever has more to hand over gives the Func an address to fetch it from.
const BODY_BYTES_MAX: u64 = 1 << 30;
/// Large bodies under way at a time: each holds 4 MiB at most, all of them 1 GiB.
const TRANSFERS_MAX: usize = 256;

/// Who decides which Func a call goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dispatch {
    /// Tron, which takes the calls from the firehose.
    #[default]
    ThroughTron,
    /// The frontend itself, by the routes that Tron publishes: a hop less. Tron gets what it has no route for.
    Direct,
}

/// What names nobody who could decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("calls are dispatched by tron, or direct")]
pub struct BadDispatch;

impl FromStr for Dispatch {
    type Err = BadDispatch;

    fn from_str(text: &str) -> Result<Self, BadDispatch> {
        match text {
            "tron" => Ok(Self::ThroughTron),
            "direct" => Ok(Self::Direct),
            _ => Err(BadDispatch),
        }
    }
}

/// What an operator can choose about a frontend.
#[derive(Clone, Debug)]
pub struct Config {
    /// Names this frontend, and its queue.
    pub member: MemberId,
    /// The tenant that its calls belong to.
    pub namespace: Namespace,
    /// What a client may take of it.
    pub limits: Limits,
    /// The time that a call has.
    pub call_timeout: Duration,
    /// How much longer it waits for the answer.
    pub answer_grace: Duration,
    /// Calls without an answer yet; further ones are refused.
    pub in_flight_max: usize,
    /// Large bodies on their way to or from the store; further ones wait for a place.
    pub transfers_max: usize,
    /// Who decides which Func a call goes to.
    pub dispatch: Dispatch,
    /// Whether every client is a proxy of ours, whose `x-forwarded-*` headers are true.
    pub trusts_forwarded: bool,
    /// How long a call whose caller does not wait may take, and how much longer its result is kept.
    pub calls_ttl: Duration,
    /// Where results may be posted.
    pub callbacks: AllowList,
    /// Where it counts its requests, for whoever asks.
    pub metrics: Metrics,
    /// Where it leaves the spans of requests.
    pub tracer: Tracer,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            member: MemberId::generate(Role::Frontend),
            namespace: Namespace::default(),
            limits: Limits { body_bytes_max: BODY_BYTES_MAX, ..Limits::default() },
            call_timeout: CALL_TIMEOUT,
            answer_grace: ANSWER_GRACE,
            in_flight_max: IN_FLIGHT_MAX,
            transfers_max: TRANSFERS_MAX,
            dispatch: Dispatch::default(),
            trusts_forwarded: false,
            calls_ttl: calls::TTL,
            callbacks: AllowList::default(),
            metrics: Metrics::default(),
            tracer: Tracer::default(),
        }
    }
}
