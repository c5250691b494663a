//! `Observations`: what operators want to see of calls, as far as this runner was told.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;
use wire::capture::{Capture, Subject};
use wire::{Activation, Invoke, Level, Observation, RouteId, RouteLevel, Timestamp};

/// Where it is told. What is told replaces what was told before.
#[derive(Debug, Default)]
pub(crate) struct Told(watch::Sender<Observed>);

/// What is wanted of calls. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Observations(watch::Receiver<Observed>);

/// What is wanted of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// From which level on its lines are kept.
    pub(crate) level_min: Level,
    /// The captures that take it if it comes to what they look for.
    captures: Vec<Arc<Capture>>,
}

impl View {
    /// Whether somebody wants to know what it drew from outside.
    pub(crate) fn is_recorded(&self) -> bool {
        !self.captures.is_empty() || self.level_min <= Level::Debug
    }

    /// The captures that keep what came to this.
    pub(crate) fn captures(self, record: &Activation) -> Vec<Arc<Capture>> {
        let mut captures = self.captures;
        let subject = Subject::of(record);
        captures.retain(|capture| capture.filters.iter().all(|filter| filter.takes(&subject)));
        captures
    }
}

#[derive(Debug, Default)]
struct Observed {
    version: u64,
    routes: HashMap<RouteId, OfRoute>,
}

#[derive(Debug, Default)]
struct OfRoute {
    level: Option<(Level, Timestamp)>,
    captures: Vec<Arc<Capture>>,
}

impl Told {
    pub(crate) fn observations(&self) -> Observations {
        Observations(self.0.subscribe())
    }

    /// Takes what is told, unless something newer was told before.
    pub(crate) fn replace(&self, told: Observation) {
        // Nobody waits for it: each call looks.
        self.0.send_if_modified(|wanted| {
            if told.version >= wanted.version {
                *wanted = Observed::of(told);
            }
            false
        });
    }
}

impl Observations {
    /// What is wanted of this call, now. Where nothing is wanted of any, that is all it costs to find out.
    pub(crate) fn of(&self, route: &RouteId, invoke: &Invoke) -> View {
        let wanted = self.0.borrow();
        if wanted.routes.is_empty() {
            return View::default();
        }
        wanted.routes.get(route).map(|of_route| of_route.view(invoke, Timestamp::now())).unwrap_or_default()
    }
}

impl Observed {
    fn of(told: Observation) -> Self {
        let mut routes: HashMap<RouteId, OfRoute> = HashMap::new();
        for RouteLevel { route, level, until, .. } in told.levels {
            routes.entry(route).or_default().level = Some((level, until));
        }
        for capture in told.captures {
            routes.entry(capture.route.clone()).or_default().captures.push(Arc::new(capture));
        }
        Self { version: told.version, routes }
    }
}

impl OfRoute {
    /// What has not expired, whether somebody has told us or not.
    fn view(&self, invoke: &Invoke, now: Timestamp) -> View {
        let level = self.level.filter(|(_, until)| now < *until);
        let takes = |capture: &&Arc<Capture>| {
            // What is run again is not what clients sent.
            invoke.replay.is_none() && now < capture.until && capture.sample.takes(invoke.activation)
        };
        View {
            level_min: level.map_or_else(Level::default, |(level, _)| level),
            captures: self.captures.iter().filter(takes).cloned().collect(),
        }
    }
}
