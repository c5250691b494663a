//! Compiling, and asking code what it is: done in a child process, since both are at the mercy of
//! whoever wrote the code.

mod child;
mod compiler;
mod description;
mod fitness;
mod order;

pub use child::child_main;
pub(crate) use compiler::{Compiler, Error};
pub(crate) use order::Rejection;
