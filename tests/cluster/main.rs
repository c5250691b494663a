//! The whole system as separate processes over RabbitMQ: what holds for `funcatron dev` holds here, and more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../platform/bad_input.rs"]
mod bad_input;
#[path = "../platform/bodies.rs"]
mod bodies;
#[path = "../platform/captures.rs"]
mod captures;
mod changes;
mod harness;
mod held;
#[path = "../platform/hostile_funcs.rs"]
mod hostile_funcs;
mod kept_promises;
mod load;
mod members;
mod messages;
mod metrics;
mod observing;
#[path = "../platform/operator.rs"]
mod operator;
mod placement;
#[path = "../platform/promises.rs"]
mod promises;
mod release;
#[path = "../platform/samples.rs"]
mod samples;
mod scaling;
mod stopping;
mod traces;
#[path = "../platform/trials.rs"]
mod trials;
mod users;
