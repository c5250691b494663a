//! How many runners each pool should have, and why: a pure function of what was observed. Nothing here
//! knows of messages, brokers or containers, and time is given.

mod effect;
mod history;
mod home;
mod load;
mod median;
mod mix;
mod need;
mod plan;
mod pool;
mod reason;
mod schedule;
mod service;
mod stats;
mod track;

pub use effect::Effect;
pub use history::History;
pub use home::home;
pub use plan::{Now, plan};
pub use pool::{InvalidPool, Pool, PoolConfig};
pub use schedule::{BadSchedule, Day, Schedule, TimeOfDay};
pub use stats::{FuncSample, Listing, RunnerSample, ServiceSample, Stats};
