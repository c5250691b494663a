//! `Slots`: the room for calls on one thread, shared out so that no Func takes all of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wire::RunnerReport;

/// The room for calls on one thread.
pub(crate) struct Slots {
    free: Mutex<usize>,
    freed: Notify,
}

/// What one Func holds of the room.
pub(crate) struct Share {
    slots: Arc<Slots>,
    held: AtomicUsize,
    /// Whose turn it is among the Func's calls: a slot that becomes free wakes one of each Func.
    turn: tokio::sync::Mutex<()>,
}

/// Room for one call, until it is dropped.
pub(crate) struct Slot(Arc<Share>);

impl Slots {
    pub(crate) fn new(max: usize) -> Self {
        Self { free: Mutex::new(max), freed: Notify::new() }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub(crate) fn new(slots: Arc<Slots>) -> Arc<Self> {
        Arc::new(Self { slots, held: AtomicUsize::new(0), turn: tokio::sync::Mutex::default() })
    }

    /// Waits for room. Calls get it in the order in which they ask; cancel-safe.
    pub(crate) async fn slot(self: &Arc<Self>) -> Slot {
        let _turn = self.turn.lock().await;
        loop {
            // Made first, it also hears of a slot that becomes free before it waits.
            let freed = self.slots.freed.notified();
            if let Some(slot) = self.try_slot() {
                return slot;
            }
            freed.await;
        }
    }

    fn try_slot(self: &Arc<Self>) -> Option<Slot> {
        let mut free = self.slots.free();
        if self.held.load(Ordering::Relaxed) >= *free * RunnerReport::SLOTS_HELD_PER_FREE {
            return None;
        }
        *free -= 1;
        self.held.fetch_add(1, Ordering::Relaxed);
        Some(Slot(self.clone()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Share { slots, held, .. } = &*self.0;
        held.fetch_sub(1, Ordering::Relaxed);
        *slots.free() += 1;
        slots.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn all_there_are(share: &Arc<Share>) -> Vec<Slot> {
        std::iter::from_fn(|| share.slot().now_or_never()).collect()
    }

    #[test]
    fn no_func_takes_all_slots() {
        let slots = Arc::new(Slots::new(32));
        let [first, second, third] = [(); 3].map(|()| Share::new(slots.clone()));
        let held = all_there_are(&first);
        assert_eq!(held.len(), 24);
        assert_eq!(all_there_are(&second).len(), 6);
        let of_second = all_there_are(&second);
        assert_eq!(all_there_are(&third).len(), 2);
        drop((held, of_second));
        assert_eq!(all_there_are(&third).len(), 24);
    }

    #[test]
    fn a_single_slot_is_of_use() {
        let share = Share::new(Arc::new(Slots::new(1)));
        assert_eq!(all_there_are(&share).len(), 1);
    }

    #[tokio::test]
    async fn a_slot_that_becomes_free_is_taken_in_order() {
        let share = Share::new(Arc::new(Slots::new(1)));
        let slot = share.slot().await;
        let (mut first, mut second) = (Box::pin(share.slot()), Box::pin(share.slot()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(slot);
        assert!(second.as_mut().now_or_never().is_none());
        let slot = first.await;
        assert!(second.as_mut().now_or_never().is_none());
        drop(slot);
        second.await;
    }
}
