//! JavaScript source as a Func: it runs in an engine that is itself a component.

/// The engine: a component that runs the source it finds in its environment.
pub(crate) static ENGINE: &[u8] = include_bytes!("../engine/js.wasm");

/// The environment variables that give the engine its source.
pub(crate) fn variables(source: &[u8]) -> Vec<(String, String)> {
    // What is not UTF-8 is not JavaScript either; the engine then finds the place and says so.
    let source = String::from_utf8_lossy(source).into_owned();
    [("FUNCATRON_SOURCE", source), ("FUNCATRON_SOURCE_NAME", "index.js".to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}
