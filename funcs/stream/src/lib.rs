//! A Func that sends back what it is sent, piece by piece, and never holds more than one.

#[cfg(target_family = "wasm")]
mod wasm;
