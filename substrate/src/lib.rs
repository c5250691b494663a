//! Starts and stops runners: as processes of this machine, as containers of a Docker Engine, as services of a
//! Swarm. What runs where, and nothing of why.

mod cluster;
mod docker;
mod error;
mod pool;
mod processes;
mod redaction;
mod seam;
mod swarm;
mod template;

pub use cluster::{ClusterName, InvalidClusterName};
pub use docker::Docker;
pub use error::Error;
pub use processes::{INHERITED, Processes, Program};
pub use seam::{Instance, InstanceState, Substrate};
pub use swarm::Swarm;
pub use template::Template;
