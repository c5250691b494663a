//! `Observations`: what operators want to see of calls, as far as this runner was told.

use std::collections::HashMap;

use tokio::sync::watch;
use wire::{Level, Observation, RouteId, RouteLevel, Timestamp};

/// Where it is told. What is told replaces what was told before.
#[derive(Debug, Default)]
pub(crate) struct Told(watch::Sender<Wanted>);

/// What is wanted of calls. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Observations(watch::Receiver<Wanted>);

/// What is wanted of one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    /// From which level on its lines are kept.
    pub(crate) level_min: Level,
}

#[derive(Debug, Default)]
struct Wanted {
    version: u64,
    routes: HashMap<RouteId, OfRoute>,
}

#[derive(Debug, Default)]
struct OfRoute {
    level: Option<(Level, Timestamp)>,
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
                *wanted = Wanted::of(told);
            }
            false
        });
    }
}

impl Observations {
    /// What is wanted of a call of this route, now. Where nothing is wanted of any, that is all it costs to find out.
    pub(crate) fn of(&self, route: &RouteId) -> View {
        let wanted = self.0.borrow();
        if wanted.routes.is_empty() {
            return View::default();
        }
        wanted.routes.get(route).map(|of_route| of_route.view(Timestamp::now())).unwrap_or_default()
    }
}

impl Wanted {
    fn of(told: Observation) -> Self {
        let mut routes: HashMap<RouteId, OfRoute> = HashMap::new();
        for RouteLevel { route, level, until, .. } in told.levels {
            routes.entry(route).or_default().level = Some((level, until));
        }
        Self { version: told.version, routes }
    }
}

impl OfRoute {
    /// What has not expired, whether somebody has told us or not.
    fn view(&self, now: Timestamp) -> View {
        let level = self.level.filter(|(_, until)| now < *until);
        View { level_min: level.map_or_else(Level::default, |(level, _)| level) }
    }
}
