//! `Config`: what Tron can be told, with the reason for each default.

use std::time::Duration;

use telemetry::{Metrics, Tracer};
use wire::egress::AllowList;
use wire::{Heartbeat, MemberId, calls};

use crate::{Scaling, Token};

/// A member that stayed silent for this many heartbeats is gone.
const SILENT_HEARTBEATS_MAX: u32 = 3;

/// The whole state goes out this often: twice a human "is it there yet", and rarely enough that a
/// thousand routes cost nothing.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(2);

/// How long dispatchers and frontends may go on using the table before a change.
const DRAIN_GRACE: Duration = Duration::from_secs(2);

/// A bundle that is not loaded by then is not going to be soon; the caller wants an answer.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// A large component with its assets; what is larger belongs in the store, not in code.
const BUNDLE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Minutes of traffic on a laptop, seconds under load: enough to look at what just happened.
const ACTIVATIONS_MAX: usize = 10_000;

/// The memory that the kept activations may take, whatever the Funcs print.
const ACTIVATIONS_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Twice as long as an asynchronous call and its result may wait, so that a clock that is wrong or a call
/// that is moved from the dead letters finds its body.
const BODIES_TTL: Duration = Duration::from_secs(48 * 60 * 60);

/// A round lists all bodies and the records of all calls, and none matters to the hour.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How long to wait before a result is posted again: most restarts take no longer than two or three such waits,
/// each twice as long as the one before.
const CALLBACK_PAUSE: Duration = Duration::from_secs(1);

/// How long a promised call may be in nobody's queue and have no result. Ten times as long as a runner gives to a
/// call, as it may wait there behind others.
const LOST_AFTER: Duration = Duration::from_secs(5 * 60);

/// Calls that had begun end, and runners hand over what they have: few Funcs run for longer.
const CAPTURE_LINGER: Duration = Duration::from_secs(5);

/// What one Tron is to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name among the members.
    pub member: MemberId,
    /// Who holds it may use the admin API.
    pub token: Token,
    /// How often members say that they are alive; one that is silent for three of these is forgotten.
    pub heartbeat_interval: Duration,
    /// How often the whole state is sent, and drained queues are looked at.
    pub reconcile_interval: Duration,
    /// How long the queue of a replaced bundle is kept at least.
    pub drain_grace: Duration,
    /// How long a deployment waits for a runner to load it.
    pub ready_timeout: Duration,
    /// The size of a bundle.
    pub bundle_bytes_max: u64,
    /// How many activations are kept.
    pub activations_max: usize,
    /// How many bytes of activations are kept.
    pub activations_bytes_max: usize,
    /// How long large bodies are kept.
    pub bodies_ttl: Duration,
    /// How often large bodies and the records of calls are looked through.
    pub sweep_interval: Duration,
    /// Where results may be posted.
    pub callbacks: AllowList,
    /// How long to wait before a result that was not taken is posted again.
    pub callback_pause: Duration,
    /// How long a call whose caller does not wait may take, and how much longer its result is kept; the same
    /// as on the frontends.
    pub calls_ttl: Duration,
    /// How long a call whose caller does not wait may be neither in a queue nor done until it is begun again.
    pub lost_after: Duration,
    /// How long after its end a capture is still taken in.
    pub capture_linger: Duration,
    /// The pools of runners that it scales; none when others do, or people.
    pub scaling: Option<Scaling>,
    /// What else the process has to tell at `/metrics` of the admin API, beside what Tron does.
    pub metrics: Metrics,
    /// Where it leaves the spans of calls.
    pub tracer: Tracer,
}

impl Config {
    /// The defaults, for this member and token.
    pub fn new(member: MemberId, token: Token) -> Self {
        Self {
            member,
            token,
            heartbeat_interval: Heartbeat::INTERVAL,
            reconcile_interval: RECONCILE_INTERVAL,
            drain_grace: DRAIN_GRACE,
            ready_timeout: READY_TIMEOUT,
            bundle_bytes_max: BUNDLE_BYTES_MAX,
            activations_max: ACTIVATIONS_MAX,
            activations_bytes_max: ACTIVATIONS_BYTES_MAX,
            bodies_ttl: BODIES_TTL,
            sweep_interval: SWEEP_INTERVAL,
            callbacks: AllowList::default(),
            callback_pause: CALLBACK_PAUSE,
            calls_ttl: calls::TTL,
            lost_after: LOST_AFTER,
            capture_linger: CAPTURE_LINGER,
            scaling: None,
            metrics: Metrics::default(),
            tracer: Tracer::default(),
        }
    }

    /// How long a member may be silent that is still there.
    pub(crate) fn silence_max(&self) -> Duration {
        self.heartbeat_interval * SILENT_HEARTBEATS_MAX
    }
}
