//! A Func that misbehaves in every way that we know; the path chooses the way.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "it is only ever a guest"))]

mod misdeed;
#[cfg(target_family = "wasm")]
mod wasm;

pub use misdeed::Misdeed;
