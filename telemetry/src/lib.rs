//! What members tell about themselves to whoever watches them: metrics.
//!
//! It knows nothing of what is measured: every service names its own metrics.

mod format;
mod listener;
mod metric;
mod page;
mod process;
mod timing;

pub use format::Format;
pub use listener::{Metrics, PATH, Source};
pub use metric::Metric;
pub use page::Page;
pub use process::Process;
pub use timing::Timing;
