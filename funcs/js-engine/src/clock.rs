//! The clocks of the host, and the one that QuickJS reads.

use std::sync::atomic::{AtomicBool, Ordering};

use wasip2::clocks::{monotonic_clock, wall_clock};

/// While the snapshot is taken time stands still, so that the same source gives the same bytes.
static STARTED: AtomicBool = AtomicBool::new(false);

pub(crate) fn start() {
    STARTED.store(true, Ordering::Relaxed);
}

pub(crate) fn now_ms() -> f64 {
    monotonic_clock::now() as f64 / 1e6
}

pub(crate) fn sleep_ms(duration: f64) {
    monotonic_clock::subscribe_duration((duration * 1e6) as u64).block();
}

/// `struct timeval` of wasi-libc.
#[repr(C)]
struct Time {
    seconds: i64,
    microseconds: i64,
}

/// What QuickJS calls for `gettimeofday` (`build.sh` renames it).
#[allow(unsafe_code, reason = "the signature is C's; QuickJS passes a valid pointer")]
#[unsafe(no_mangle)]
extern "C" fn funcatron_gettimeofday(time: &mut Time, _zone: usize) -> i32 {
    if STARTED.load(Ordering::Relaxed) {
        let now = wall_clock::now();
        time.seconds = now.seconds as i64;
        time.microseconds = i64::from(now.nanoseconds / 1000);
    } else {
        *time = Time { seconds: 1, microseconds: 0 };
    }
    0
}
