//! What can be said about a component before it is compiled: whether it is one, and its size.

use wasmparser::{Parser, Payload};

use super::order::Rejection;

/// A component; the interpreters that we know have some 20 MB.
pub(super) const WASM_BYTES_MAX: usize = 64 << 20;
/// Functions. Compiling takes memory for each: 100,000 of the smallest took 0.6 GB.
const FUNCTIONS_MAX: usize = 100_000;
/// The body of one function. The time for one grows faster than its size: 1.2 MB took 11 s.
const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// Checks what the compiler must not be given.
pub(super) fn check(wasm: &[u8]) -> Result<(), Rejection> {
    if wasm.len() > WASM_BYTES_MAX {
        return Err(Rejection::new(format!("func.wasm is over {WASM_BYTES_MAX} bytes")));
    }
    if Parser::is_core_wasm(wasm) {
        return Err(Rejection::new("func.wasm is a core module, and a Func is a component"));
    }
    if !Parser::is_component(wasm) {
        return Err(Rejection::new("func.wasm is not WebAssembly"));
    }
    check_functions(wasm)
}

fn check_functions(wasm: &[u8]) -> Result<(), Rejection> {
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| Rejection::new(format!("func.wasm is malformed: {error}")))?;
        let Payload::CodeSectionEntry(body) = payload else { continue };
        functions += 1;
        if functions > FUNCTIONS_MAX {
            return Err(Rejection::new(format!("func.wasm has over {FUNCTIONS_MAX} functions")));
        }
        if body.range().len() > FUNCTION_BYTES_MAX {
            let reason = format!("func.wasm has a function of over {FUNCTION_BYTES_MAX} bytes");
            return Err(Rejection::new(reason));
        }
    }
    Ok(())
}
