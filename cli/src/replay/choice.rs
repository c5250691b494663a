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
        Self { filters, only }
    }

    pub(crate) fn takes(&self, entry: &CaptureEntry) -> bool {
        let subject = entry.subject();
        self.is_named(entry) && self.filters.iter().all(|filter| filter.takes(&subject))
    }

    /// Ids begin with the time, which many share: the end will do as well.
    fn is_named(&self, entry: &CaptureEntry) -> bool {
        let Some(only) = &self.only else { return true };
        let is_it = |id: &str| id.starts_with(only.as_str()) || id.ends_with(only.as_str());
        is_it(entry.invoke.id.as_str()) || is_it(&entry.invoke.activation.to_string())
    }

    /// What no call is, if none is meant.
    pub(crate) fn missed(&self) -> String {
        let id = self.only.iter().map(|id| format!("has the id {id}"));
        let filters = (!self.filters.is_empty()).then(|| {
            let filters: Vec<String> = self.filters.iter().map(ToString::to_string).collect();
            format!("matches {}", filters.join(" and "))
        });
        id.chain(filters).collect::<Vec<_>>().join(" and ")
    }
}
