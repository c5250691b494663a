//! From which level on the log lines of a route are kept, as an operator says.

use std::time::Duration;

use tracing::info;
use wire::admin::LevelRequest;
use wire::{Observation, RouteId, RouteLevel, Timestamp};

use super::Handle;
use crate::Rejection;

/// Enough to look for a mistake; nobody has to remember to go back.
const DEFAULT: Duration = Duration::from_secs(10 * 60);

impl Handle {
    /// The routes whose log lines are kept from another level on than info.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn levels(&self) -> Result<Vec<RouteLevel>, Rejection> {
        Ok(self.shared.observations.current().await?.levels)
    }

    /// Keeps the log lines of a route from a level on, for a while.
    ///
    /// # Errors
    /// When there is no such route, or too many have a level of their own.
    pub async fn set_level(
        &self,
        id: &RouteId,
        request: &LevelRequest,
        by: &str,
    ) -> Result<RouteLevel, Rejection> {
        self.deployed(id).await?;
        let time = request.for_seconds.map_or(DEFAULT, Duration::from_secs);
        let until = Timestamp::now().after(time);
        let level = RouteLevel { route: id.clone(), level: request.level, until, by: by.to_owned() };
        let set = |next: &mut Observation| {
            next.levels.retain(|other| other.route != *id);
            if next.levels.len() >= Observation::LEVELS_MAX {
                let most = Observation::LEVELS_MAX;
                return Err(Rejection::Conflict(format!("{most} routes have a level of their own already")));
            }
            next.levels.push(level.clone());
            Ok(())
        };
        self.shared.observations.change(set).await?;
        info!(by, route = %id, level = %level.level, seconds = time.as_secs(), "log level set");
        Ok(level)
    }

    /// Keeps the log lines of a route from info on again.
    ///
    /// # Errors
    /// When it has no level of its own.
    pub async fn reset_level(&self, id: &RouteId, by: &str) -> Result<(), Rejection> {
        let reset = |next: &mut Observation| {
            let before = next.levels.len();
            next.levels.retain(|other| other.route != *id);
            if next.levels.len() == before {
                return Err(Rejection::NotFound(format!("route {id} has no level of its own")));
            }
            Ok(())
        };
        self.shared.observations.change(reset).await?;
        info!(by, route = %id, "log level reset");
        Ok(())
    }
}
