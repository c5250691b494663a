//! `Meter`: how much of a processor a call has used.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Up to this long the clock on the wall stands for the processor's, which takes a system call to read and
/// hardly any call computes for longer. On a busy machine that counts some of what others computed.
const BY_THE_WALL_MAX: Duration = Duration::from_millis(20);

/// How much of a processor a call has used that is polled on one thread, perhaps among others.
#[derive(Debug, Default)]
pub(super) struct Meter {
    used: Duration,
}

impl Meter {
    /// Does a part of the work and counts it. Gives what came of it, and all that was used until now.
    pub(super) fn run<T>(&mut self, work: impl FnOnce() -> T) -> (T, Duration) {
        let began = Instant::now();
        let computed = (self.used >= BY_THE_WALL_MAX).then(computed);
        let done = work();
        self.used += match computed {
            Some(before) => self::computed().saturating_sub(before),
            None => began.elapsed(),
        };
        (done, self.used)
    }

    /// All that was used until now.
    pub(super) fn used(&self) -> Duration {
        self.used
    }
}

/// How long this thread has computed since it began.
fn computed() -> Duration {
    // Neither is ever negative.
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes until this much time has passed on the thread's own clock.
    fn compute(time: Duration) {
        let until = computed() + time;
        while computed() < until {}
    }

    #[test]
    fn what_is_computed_counts() {
        let mut meter = Meter::default();
        for _ in 0..5 {
            meter.run(|| compute(Duration::from_millis(10)));
        }
        assert!(meter.run(|| ()).1 >= Duration::from_millis(50));
    }

    #[test]
    fn what_others_compute_meanwhile_does_not_count() {
        let mut meter = Meter::default();
        meter.run(|| compute(BY_THE_WALL_MAX));
        let before = meter.run(|| ()).1;
        let ((), after) = meter.run(|| std::thread::park_timeout(Duration::from_millis(200)));
        assert!(after - before < Duration::from_millis(100), "{:?}", after - before);
    }
}
