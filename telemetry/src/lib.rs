//! What members tell about themselves to whoever watches them: metrics and traces.
//!
//! It knows nothing of what is measured: every service names its own metrics.

mod by_status;
mod context;
mod count_by;
mod format;
mod listener;
mod metric;
mod otlp;
mod page;
mod process;
mod shipping;
mod span;
mod timing;
mod tracer;

pub use by_status::ByStatus;
pub use context::{BadContext, Context, TRACEPARENT, TRACESTATE};
pub use count_by::CountBy;
pub use format::Format;
pub use listener::{Metrics, PATH, Source};
pub use metric::Metric;
pub use page::Page;
pub use process::Process;
pub use shipping::{BadEndpoint, Endpoint, Shipping};
pub use span::{Span, SpanKind, Value, now};
pub use timing::Timing;
pub use tracer::{Tracer, Traces};
