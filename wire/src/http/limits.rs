//! `Limits`: what a client may take of us.

use std::time::Duration;

/// Far above what one process serves at a time, and below what its memory holds: an idle connection
/// costs about 10 KiB.
const CONNECTIONS_MAX: usize = 10_000;
/// A head fits in a few packets; a client that needs longer than this is broken or hostile.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the keep-alive of usual load balancers (60 s), so that they close first and never send
/// into a connection that we are closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// Four times what nginx takes; large cookies fit.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// What most proxies on the way take.
const TARGET_BYTES_MAX: usize = 8 * 1024;
/// Browsers behind proxies send about 30.
const HEADERS_MAX: usize = 64;
/// Bodies are held in memory while a call lasts; larger uploads belong into a store.
const BODY_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// A sender whose network is alive retransmits well within this.
const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the default deadline of a call would make stopping slow; most calls take far less.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// What a client may take of us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long a head may take to arrive.
    pub head_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// The size of a head.
    pub head_bytes_max: usize,
    /// The size of a request's target.
    pub target_bytes_max: usize,
    /// The number of headers.
    pub headers_max: usize,
    /// The size of a body.
    pub body_bytes_max: u64,
    /// How long a body may go without progress, either way.
    pub body_idle_timeout: Duration,
    /// How long open connections have to finish once the server is told to stop.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            head_timeout: HEAD_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            head_bytes_max: HEAD_BYTES_MAX,
            target_bytes_max: TARGET_BYTES_MAX,
            headers_max: HEADERS_MAX,
            body_bytes_max: BODY_BYTES_MAX,
            body_idle_timeout: BODY_IDLE_TIMEOUT,
            drain_timeout: DRAIN_TIMEOUT,
        }
    }
}
