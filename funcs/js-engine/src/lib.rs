//! The JavaScript engine: a Func that gets its source from the deployment and evaluates it, in a fresh
//! instance for each request. The component that the runner carries is a snapshot of this one, taken
//! after the engine has booted (`build.sh`). Natively the crate is empty.
#![cfg(target_family = "wasm")]

mod clock;
mod deployment;
mod engine;
mod fetch;
mod native;
mod prelude;
mod random;

use engine::Engine;
use funcatron_guest::wasm::{self, Guest, IncomingRequest, ResponseOutparam};

struct Component;

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        wasm::answer(request, out, |request| Engine::with(|engine| engine.answer(request)));
    }
}

#[allow(unsafe_code, reason = "an export of a component is an unsafe extern function")]
const _: () = {
    wasm::export!(Component);
};

/// Boots the engine while the snapshot is taken.
#[allow(unsafe_code, reason = "the name is what the tool that takes the snapshot calls")]
#[unsafe(export_name = "wizer-initialize")]
extern "C" fn boot() {
    Engine::with(|_| ());
    clock::start();
}
