//! Captures: calls of a route that are kept whole, so that they can be run again and compared.

mod drawn;
mod entry;
mod filter;
mod header;

use serde::{Deserialize, Serialize};

use crate::invoke::is_false;
use crate::{CaptureId, Namespace, Percent, RouteId, Timestamp};

pub use drawn::{Drawn, HostCall, HttpExchange, HttpOutcome};
pub use entry::{CaptureEntry, was_begun};
pub use filter::{BadFilter, Filter, Subject};
pub use header::{CaptureHeader, FileKind};

/// What a text stands for that was taken out of a capture because it is secret.
pub const REDACTED: &str = "[redacted]";

/// [`REDACTED`] as it stands in a URL or a form.
pub const REDACTED_IN_URL: &str = "%5Bredacted%5D";

/// Headers that carry credentials in every API, in lower case.
pub const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/// An order to keep calls of a route. Runners hear of it with every [`crate::Control::Observation`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Names it.
    pub id: CaptureId,
    /// The tenant.
    pub namespace: Namespace,
    /// The route.
    pub route: RouteId,
    /// Which of its calls.
    pub sample: Percent,
    /// Which of those, by what they came to; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Since when.
    pub from: Timestamp,
    /// Until when calls are kept.
    pub until: Timestamp,
    /// How many bytes it may have, as lines of JSON; then it is over.
    pub bytes_max: u64,
    /// When what was kept is deleted.
    pub delete_at: Timestamp,
    /// Whether secrets are kept as well.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secrets: bool,
    /// Who asked for it.
    pub by: String,
}

impl Capture {
    /// The queue that its entries travel through. On RabbitMQ it is bound to the exchange `funcatron.capture` by its
    /// name; whoever binds a queue of his own to that gets a copy of each entry.
    pub fn queue(&self) -> String {
        crate::broker::capture_queue_name(&self.id)
    }
}
