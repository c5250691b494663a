//! `Deployment`: what the runner says about the Func in variables.

use wasip2::cli::environment::get_environment;

#[derive(Default)]
pub(crate) struct Deployment {
    pub(crate) source: String,
    pub(crate) source_name: String,
    /// One JSON object, or nothing.
    pub(crate) props: String,
    pub(crate) shows_errors: bool,
}

impl Deployment {
    pub(crate) fn read() -> Self {
        let mut deployment = Self { source_name: "index.js".into(), ..Self::default() };
        for (name, value) in get_environment() {
            match name.as_str() {
                "FUNCATRON_SOURCE" => deployment.source = value,
                "FUNCATRON_SOURCE_NAME" => deployment.source_name = value,
                "FUNCATRON_PROPS" => deployment.props = value,
                "FUNCATRON_ERRORS" => deployment.shows_errors = value == "detail",
                _ => {}
            }
        }
        deployment
    }
}
