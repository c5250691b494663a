//! The whole system through the door that a user has: the binary, HTTP and files.

mod bad_input;
mod harness;
mod hostile_funcs;
mod live;
mod operator;
mod samples;
