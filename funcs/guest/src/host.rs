//! What the host gives a Func besides the request: variables, and a log on stderr.

/// The variable `name` of the deployment.
#[cfg(target_family = "wasm")]
pub(crate) fn variable(name: &str) -> Option<String> {
    crate::wasm::variable(name)
}

/// The variable `name` of the deployment.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether responses may show why the Func failed (`funcatron dev` says so).
pub(crate) fn shows_errors() -> bool {
    variable("FUNCATRON_ERRORS").as_deref() == Some("detail")
}

#[allow(clippy::print_stderr, reason = "the stderr of a Func is its log")]
pub(crate) fn log(line: &str) {
    eprintln!("{line}");
}
