//! `Config`: what an operator can choose about a frontend.

use std::time::Duration;

use wire::calls;
use wire::egress::AllowList;
use wire::http::Limits;
use wire::{MemberId, Namespace, Role};

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
    /// Whether every client is a proxy of ours, whose `x-forwarded-*` headers are true.
    pub trusts_forwarded: bool,
    /// How long a call whose caller does not wait may take, and how much longer its result is kept.
    pub calls_ttl: Duration,
    /// Where results may be posted.
    pub callbacks: AllowList,
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
            trusts_forwarded: false,
            calls_ttl: calls::TTL,
            callbacks: AllowList::default(),
        }
    }
}
