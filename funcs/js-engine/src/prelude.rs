//! The part of the engine that is JavaScript: the globals, and the way from a request to a response.

use rquickjs::{Ctx, Module, Object, Result};

/// In an order in which each finds what it imports.
const MODULES: [(&str, &str); 13] = [
    ("funcatron:native", include_str!("../prelude/native.js")),
    ("funcatron:inspect", include_str!("../prelude/inspect.js")),
    ("funcatron:console", include_str!("../prelude/console.js")),
    ("funcatron:random", include_str!("../prelude/random.js")),
    ("funcatron:encoding", include_str!("../prelude/encoding.js")),
    ("funcatron:url", include_str!("../prelude/url.js")),
    ("funcatron:headers", include_str!("../prelude/headers.js")),
    ("funcatron:response", include_str!("../prelude/response.js")),
    ("funcatron:problem", include_str!("../prelude/problem.js")),
    ("funcatron:timers", include_str!("../prelude/timers.js")),
    ("funcatron:fetch", include_str!("../prelude/fetch.js")),
    ("funcatron:request", include_str!("../prelude/request.js")),
    ("funcatron:answer", include_str!("../prelude/answer.js")),
];

/// Evaluates the prelude; gives the functions that the engine calls.
pub(crate) fn load<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let calls = Object::new(ctx.clone())?;
    for (name, source) in MODULES {
        let (module, loaded) = Module::declare(ctx.clone(), name, source)?.eval()?;
        loaded.finish::<()>()?;
        let exports = module.namespace()?;
        for call in ["answer", "unsettled", "runNextTimer"] {
            if exports.contains_key(call)? {
                calls.set(call, exports.get::<_, rquickjs::Value>(call)?)?;
            }
        }
    }
    Ok(calls)
}
