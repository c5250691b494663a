//! `Serving`: what a runner serves at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use crate::deployed::Deployed;

/// What a runner serves at one moment.
#[derive(Default)]
pub(crate) struct Serving {
    /// By queue.
    pub(crate) funcs: HashMap<String, Arc<Deployed>>,
    /// Whether an assignment has been loaded to its end: what is not here then is not served here.
    pub(crate) complete: bool,
}
