//! A cluster whose runners Tron starts and stops, and what happens to it: `scripts/chaos.sh --fleet`.

pub(crate) mod curve;
mod engine;
mod fleet;
mod play;
mod pool;
mod scaled;
mod scene;
pub(crate) mod watch;

use anyhow::Result;

pub(crate) use self::fleet::Kind;
pub(crate) use self::scaled::Scaled;
pub(crate) use self::scene::Scene;
use super::stage::Report;

/// Performs one scene.
pub(crate) async fn perform(scene: Scene, scaled: &mut Scaled, rate: u32, seed: u64) -> Result<Report> {
    play::perform(scene, scaled, rate, seed).await
}
