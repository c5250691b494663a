//! `Clock`: what time a call is told that it is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::Tape;

/// What time a call is told that it is, in nanoseconds.
pub(super) enum Clock {
    Real,
    Played {
        /// What it was told before, in order.
        readings: VecDeque<u64>,
        /// What it was told last, and when: the clock goes on from there when there are no more readings.
        last: (u64, Instant),
    },
}

impl Clock {
    /// A clock that shows these readings again, the time of its beginning if there is none.
    pub(super) fn played(readings: Vec<u64>, began_ns: u64) -> Self {
        Self::Played { readings: readings.into(), last: (began_ns, Instant::now()) }
    }

    pub(super) fn read(&mut self, real_ns: impl Fn() -> u64) -> u64 {
        let Self::Played { readings, last: (ns, told_at) } = self else { return real_ns() };
        match readings.pop_front() {
            Some(reading) => {
                (*ns, *told_at) = (reading, Instant::now());
                reading
            }
            None => ns.saturating_add(u64::try_from(told_at.elapsed().as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

/// The time of day, as a guest asks for it.
pub(super) struct Wall(pub(super) Tape);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        // The same on every machine.
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.wall_ns())
    }
}

/// The time that has passed, as a guest asks for it.
pub(super) struct Monotonic(pub(super) Tape);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.monotonic_ns()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_its_readings_and_goes_on_from_the_last() {
        let mut clock = Clock::played(vec![5, 3], 1);
        let unreal = || unreachable!("the clock is played back");
        assert_eq!((clock.read(unreal), clock.read(unreal)), (5, 3));
        let (then, later) = (clock.read(unreal), clock.read(unreal));
        assert!((3..1_000_000_000).contains(&then) && later >= then, "{then} {later}");
        assert_eq!(Clock::Real.read(|| 7), 7);
    }
}
