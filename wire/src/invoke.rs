//! `Invoke`: the message that asks for a call.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{ActivationId, Body, BundleSha, Namespace, Replay, RequestId, Timestamp, Version};

/// One request, with everything that is needed to run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoke {
    /// The version of the message's shape.
    pub v: Version,
    /// The id that the client sees.
    pub id: RequestId,
    /// The id that answers are matched by.
    pub activation: ActivationId,
    /// The tenant.
    pub namespace: Namespace,
    /// When the call was accepted.
    pub at: Timestamp,
    /// When its answer stops being useful.
    pub deadline: Timestamp,
    /// How often it has been started before this time, plus one.
    pub attempt: u32,
    /// How often the call has failed and was begun anew, as its operation allows to calls that nobody
    /// waits for. Attempts count from one again each time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retry: u32,
    /// The queue for the answer; without one the result is dropped (fire and forget).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Whether the caller was promised the call with a 202: its messages are persistent and travel alone,
    /// and it ends done or among the dead letters.
    #[serde(default, skip_serializing_if = "is_false", rename = "async")]
    pub asynchronous: bool,
    /// The queue that it was cut off in, while it waits in [`crate::broker::RETRIES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The bundle to run instead of the one that the route would choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleSha>,
    /// That it is a captured call, run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Box<Replay>>,
    /// The HTTP method.
    pub method: String,
    /// `http` or `https`, as the client saw it.
    pub scheme: String,
    /// The host that was asked for, normalised, with its port unless that is the scheme's own.
    pub host: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its `?`, still percent-encoded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The headers in order; names in lower case, repeated ones repeated.
    pub headers: Vec<(String, String)>,
    /// The address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Microseconds since the epoch when it was put into the queue that it came from; only of calls that are traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_us: Option<u64>,
    /// The body; absent when it is empty.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// The members of an [`Invoke`] that decide where it goes. Reading it skips over the rest, headers and
/// body among it, and copies of host and path only what is escaped.
#[derive(Debug, Deserialize)]
pub struct InvokeHead<'a> {
    /// The version of the message's shape.
    pub v: Version,
    /// The id that the client sees.
    pub id: RequestId,
    /// The id that answers are matched by.
    pub activation: ActivationId,
    /// The tenant.
    pub namespace: Namespace,
    /// When its answer stops being useful.
    pub deadline: Timestamp,
    /// How often it has been started before this time, plus one.
    pub attempt: u32,
    /// The queue for the answer.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// Whether the caller was promised the call with a 202.
    #[serde(default, rename = "async")]
    pub asynchronous: bool,
    /// The bundle to run instead of the one that the route would choose.
    #[serde(default)]
    pub bundle: Option<BundleSha>,
    /// The host that was asked for.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The path, still percent-encoded.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}
