//! A call that an operator makes: one of a route's, run again or tried out.

use serde::{Deserialize, Serialize};

use crate::{ActivationId, Answer, Body, BundleSha, Replay, RequestId, Timestamp};

/// Asks for a call of a route. It goes through the broker as any other, and its answer to nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// The HTTP method.
    pub method: String,
    /// The path with the route's base path, still percent-encoded.
    pub path: String,
    /// The query without its `?`, still percent-encoded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The headers in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// The bundle to run instead of the one that the route would choose; it must be on the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleSha>,
    /// That it is a captured call, run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Box<Replay>>,
    /// Where something was taken out of the answer that the replay expects, as the capture tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
    /// The request id that the Func sees; a new one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// When the call was accepted, if it is a replay; now when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// `http` or `https`; `http` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The host that the Func sees; the route's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The address of the client that the Func sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// What such a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// Names its record among the activations.
    pub activation: ActivationId,
    /// Its answer. A body that is very long stays in the store.
    pub answer: Answer,
}
