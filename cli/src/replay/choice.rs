//! `Choice`: which of the captured calls are meant.

use wire::capture::{CaptureEntry, Filter};

/// Which of the captured calls are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    filters: Vec<Filter>,
    only: Option<String>,
}

impl Choice {
    pub(crate) fn new(filters: Vec<Filter>, only: Option<String>) -> Self {
        Self { filters, only: only.filter(|id| !id.is_empty()) }
    }

    pub(crate) fn takes(&self, entry: &CaptureEntry) -> bool {
        let subject = entry.subject();
        let is_named = |id: &String| {
            entry.invoke.id.as_str().starts_with(id.as_str())
                || entry.invoke.activation.to_string().starts_with(id.as_str())
        };
        self.only.as_ref().is_none_or(is_named) && self.filters.iter().all(|filter| filter.takes(&subject))
    }
}
