//! Randomness of the host, for an engine whose own was frozen in the snapshot.

use std::cell::Cell;

use wasip2::random::random::{get_random_bytes, get_random_u64};

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

pub(crate) fn bytes(count: u32) -> Vec<u8> {
    get_random_bytes(count.into())
}

/// A number in [0, 1): SplitMix64, seeded by the host at the first call.
pub(crate) fn unit() -> f64 {
    let state = STATE.get().unwrap_or_else(get_random_u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(Some(state));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
