//! Everything that crosses a process boundary: messages, ids, the bundle format, the admin API's
//! types, the broker, the store and the bounded HTTP server.

mod activation;
mod answer;
mod backoff;
mod body;
mod chain;
mod control;
mod histogram;
mod ids;
mod invoke;
mod labels;
mod level;
mod lines;
mod observation;
mod percent;
mod problem;
mod replay;
mod report;
mod ticks;
mod timestamp;
mod version;

pub mod admin;
pub mod broker;
pub mod bundle;
pub mod calls;
pub mod capture;
pub mod egress;
pub mod http;
pub mod replies;
pub mod store;

pub use activation::{Activation, LogLine, Stream};
pub use answer::Answer;
pub use backoff::Backoff;
pub use body::{Body, StoredBody};
pub use broker::Broker;
pub use bundle::Bundle;
pub use chain::Chain;
pub use control::{
    Assignment, Control, ControlHead, ControlKind, FuncAssignment, Heartbeat, Mirror, Role, Route, Trial,
    WeightedBundle,
};
pub use histogram::Histogram;
pub use ids::{
    ActivationId, BodySha, BundleSha, CaptureId, InvalidId, MemberId, Namespace, PoolName, RequestId, RouteId,
};
pub use invoke::{Invoke, InvokeHead};
pub use labels::{BadLabels, Labels};
pub use level::Level;
pub use lines::{
    MessageError, bounded_lines, decode_line, decode_lines, encode_line, join_lines, split_lines,
};
pub use observation::{Observation, RouteLevel};
pub use percent::{BadPercent, Percent};
pub use problem::{Component, Fault, PROBLEM_MEDIA_TYPE, Problem, ProblemKind};
pub use replay::Replay;
pub use report::{FuncStats, PoolReport, RunnerReport};
pub use store::{Store, StoreUrl};
pub use ticks::ticks;
pub use timestamp::Timestamp;
pub use version::Version;
