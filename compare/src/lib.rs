//! Whether the answer to a call that was run again is the one before: a pure function of both and of what
//! the document says about them.

mod bodies;
mod comparison;
mod difference;
mod failure;
mod format;
mod headers;
mod json;
mod noise;
mod redacted;
mod secrecy;
mod shown;

pub use comparison::Comparison;
pub use difference::{Difference, Place, Step, summary};
pub use noise::Noise;
pub use shown::shown;
