//! `Environment`: the environment variables of a Func, made once for all its calls.

use std::sync::Arc;

use serde_json::{Map, Value};
use wasmtime::component::HasData;
use wasmtime_wasi::p2::bindings::cli::environment;

/// The environment variables of a Func. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Arc<[(String, String)]>);

impl Environment {
    /// `FUNCATRON_PROPS` with all props, each scalar prop as a variable of its own, and `extra`.
    pub(crate) fn new(props: &Map<String, Value>, extra: Vec<(String, String)>) -> Self {
        let all = ("FUNCATRON_PROPS".to_owned(), Value::Object(props.clone()).to_string());
        let own = props.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?)));
        // Ours come last: where a guest builds a map of them, a prop cannot replace them.
        Self(own.chain([all]).chain(extra).collect())
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Tells the linker how a store's data shows its [`Environment`].
pub(super) struct HasEnvironment;

impl HasData for HasEnvironment {
    type Data<'a> = &'a mut Environment;
}

impl environment::Host for Environment {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.0.to_vec())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}
