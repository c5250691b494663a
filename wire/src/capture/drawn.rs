//! `Drawn`: what a Func drew from outside its sandbox during a call, so that it can be given the same again.

use serde::{Deserialize, Serialize};

use crate::Body;
use crate::invoke::is_false;

/// What a Func drew from outside during a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// What its random numbers came from: 64 hexadecimal digits.
    pub seed: String,
    /// What it asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<HostCall>,
    /// Whether there was more than is kept: a replay may draw something else then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub truncated: bool,
}

/// Hexadecimal digits of what random numbers come from.
const SEED_DIGITS: usize = 64;

impl Drawn {
    /// What was drawn where no Func was begun.
    pub fn nothing() -> Self {
        Self { seed: "0".repeat(SEED_DIGITS), ..Self::default() }
    }

    /// Whether there was no Func that could have drawn anything: one that ran was given a seed.
    pub fn is_nothing(&self) -> bool {
        self.seed.bytes().all(|digit| digit == b'0')
    }
}

/// One thing that a Func asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostCall {
    /// What time it is: nanoseconds since the Unix epoch.
    WallClock {
        /// Microseconds after the call began.
        at_us: u64,
        /// What it was told.
        ns: u64,
    },
    /// A clock that only goes forward, in nanoseconds from a moment that means nothing.
    MonotonicClock {
        /// Microseconds after the call began.
        at_us: u64,
        /// What it was told.
        ns: u64,
    },
    /// Random bytes, of which the seed says what they were.
    Random {
        /// Microseconds after the call began.
        at_us: u64,
        /// How many.
        bytes: u64,
    },
    /// A request to somewhere else.
    Http(Box<HttpExchange>),
}

/// A request that a Func sent, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpExchange {
    /// Microseconds after the call began.
    pub at_us: u64,
    /// Microseconds until the head of the response, or its failure.
    pub took_us: u64,
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers in order; names in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// What came of it.
    pub outcome: HttpOutcome,
}

/// What came of a request that a Func sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpOutcome {
    /// A response.
    Response {
        /// Its status.
        status: u16,
        /// Its headers in order; names in lower case.
        headers: Vec<(String, String)>,
        /// Its body, as far as the Func has read it.
        #[serde(default, skip_serializing_if = "Body::is_empty")]
        body: Body,
        /// Why the body ended before its end: an `error-code` of `wasi:http`; `HTTP-response-incomplete` if the Func
        /// read no further.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<String>,
    },
    /// None; why, as the Func was told: an `error-code` of `wasi:http`.
    Failed(String),
}
