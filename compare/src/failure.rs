//! What is told of a Func that threw: that hangs on who runs it, and not on the Func.

use serde_json::Value;

/// Told where clients are not to see why: by the guest libraries for Rust and JavaScript.
const UNTOLD: &str = "the Func failed";
/// What `funcatron dev` tells in its place.
const TOLD: [&str; 2] = ["detail", "stack"];

/// Takes the reason out of both if only one of them gives it.
pub(crate) fn level(content_type: &str, expected: &mut Value, actual: &mut Value) {
    let is_untold = |body: &Value| body.get("detail").is_some_and(|detail| detail == UNTOLD);
    let is_failure = |body: &Value| body.get("status").is_some_and(|status| *status == 500);
    if !content_type.starts_with("application/problem+json")
        || !is_failure(expected)
        || is_untold(expected) == is_untold(actual)
    {
        return;
    }
    for body in [expected, actual].into_iter().filter_map(Value::as_object_mut) {
        TOLD.iter().for_each(|name| drop(body.remove(*name)));
    }
}
