//! `Queue`: one queue of the embedded broker, its bounds and what waits in it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::{Outcome, Seat, Shared};
use crate::Timestamp;
use crate::broker::{self, Depth, Error, Message};

/// A queue. Its lock is never held over an await, nor while somebody is woken.
pub(super) struct Queue {
    settings: broker::Queue,
    broker: Weak<Shared>,
    state: Mutex<State>,
    /// Told once for each message that becomes ready. A waiter that was told and goes away hands that on.
    pub(super) arrived: Notify,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Ready>,
    ready_bytes: usize,
    /// What is held back, by when that ends and in the order in which it came. It counts as waiting.
    delayed: BTreeMap<(Instant, u64), Message>,
    delayed_bytes: usize,
    delayed_next: u64,
    /// By tag, which grows with every delivery.
    delivered: BTreeMap<u64, Delivered>,
    tag_next: u64,
    seats: Vec<Arc<Seat>>,
    seat_next: u64,
    /// No ready message expires before this; there may be none that expires at all.
    expiry_soonest: Option<Timestamp>,
    closed: bool,
}

struct Ready {
    message: Message,
    redelivered: bool,
}

struct Delivered {
    seat: u64,
    message: Message,
}

/// What a look into the queue comes to.
pub(super) enum Take {
    Message { message: Message, redelivered: bool, tag: u64 },
    Empty,
    Closed,
}

impl Queue {
    pub(super) fn new(settings: broker::Queue, broker: Weak<Shared>) -> Self {
        Self { settings, broker, state: Mutex::default(), arrived: Notify::new() }
    }

    /// Adds a message at the end, if there is room for it.
    pub(super) fn push(&self, message: Message) -> Result<(), Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Unroutable(self.settings.name.clone()));
        }
        let full = |state: &State| {
            let bytes = state.ready_bytes.saturating_add(state.delayed_bytes);
            state.ready.len() + state.delayed.len() >= self.settings.len_max
                || bytes.saturating_add(message.payload.len()) > self.settings.bytes_max
        };
        if full(&state) {
            state.drop_expired();
            if full(&state) {
                return Err(Error::Full(self.settings.name.clone()));
            }
        }
        if let Some(delay) = message.delay {
            state.hold_back(message, Instant::now() + delay);
            drop(state);
            // Whoever waits has to know when to look again; one of them could go away, or have no room then.
            self.arrived.notify_waiters();
            return Ok(());
        }
        state.count_in(&message);
        state.ready.push_back(Ready { message, redelivered: false });
        drop(state);
        self.tell();
        Ok(())
    }

    /// Takes the first message that is still of use.
    pub(super) fn take(&self, seat: u64) -> Take {
        let mut state = self.state();
        if state.closed {
            return Take::Closed;
        }
        if !self.serves(&state, seat) {
            return Take::Empty;
        }
        state.release(Instant::now());
        let Some(Ready { message, redelivered }) = state.pop() else { return Take::Empty };
        let tag = state.tag_next;
        state.tag_next += 1;
        state.delivered.insert(tag, Delivered { seat, message: message.clone() });
        Take::Message { message, redelivered, tag }
    }

    /// Whether there is nothing to take for this consumer, and nothing to be told.
    pub(super) fn is_idle(&self, seat: u64) -> bool {
        let state = self.state();
        (state.ready.is_empty() || !self.serves(&state, seat)) && !state.closed
    }

    /// Whether this consumer is given anything.
    fn serves(&self, state: &State, seat: u64) -> bool {
        !self.settings.single_active || state.seats.first().is_some_and(|first| first.id() == seat)
    }

    /// Says that a message is ready: to one who waits, or to all where only one of them may take it.
    fn tell(&self) {
        if self.settings.single_active {
            self.arrived.notify_waiters();
        } else {
            self.arrived.notify_one();
        }
    }

    /// When the next message that is held back may be delivered.
    pub(super) fn released_next(&self) -> Option<Instant> {
        let state = self.state();
        state.delayed.first_key_value().map(|(&(at, _), _)| at)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Ends a delivery. One whose consumer or queue is gone was ended by that.
    pub(super) fn settle(&self, tag: u64, outcome: Outcome) {
        let mut state = self.state();
        let Some(Delivered { message, .. }) = state.delivered.remove(&tag) else { return };
        match outcome {
            Outcome::Ack => {}
            Outcome::Retry => {
                state.put_back(message);
                drop(state);
                self.tell();
            }
            Outcome::DeadLetter(reason) => {
                drop(state);
                self.dead_letter(message, reason);
            }
        }
    }

    fn dead_letter(&self, message: Message, reason: String) {
        let (Some(name), Some(broker)) = (&self.settings.dead_letter, self.broker.upgrade()) else { return };
        let dead = Message { dead_reason: Some(reason), ..Message::new(message.payload) };
        if let Err(error) = broker.queue(name).and_then(|queue| queue.push(dead)) {
            warn!(queue = %self.settings.name, dead_letter = %name, %error, "dead letter dropped");
        }
    }

    /// Seats a consumer.
    pub(super) fn join(self: &Arc<Self>, prefetch: u16) -> Result<Arc<Seat>, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Unroutable(self.settings.name.clone()));
        }
        let seat = Arc::new(Seat::new(self.clone(), state.seat_next, prefetch));
        state.seat_next += 1;
        state.seats.push(seat.clone());
        Ok(seat)
    }

    /// Gives back what a consumer holds, in the order in which it came.
    pub(super) fn leave(&self, seat: u64) {
        let mut state = self.state();
        state.seats.retain(|other| other.id() != seat);
        let held: Vec<_> = state.delivered.extract_if(.., |_, delivered| delivered.seat == seat).collect();
        let count = held.len();
        for (_, delivered) in held.into_iter().rev() {
            state.put_back(delivered.message);
        }
        drop(state);
        if self.settings.single_active {
            // Whoever is the first now finds what was ready all the time.
            self.tell();
        }
        (0..count).for_each(|_| self.tell());
    }

    pub(super) fn depth(&self) -> Depth {
        let mut state = self.state();
        state.release(Instant::now());
        state.drop_expired();
        Depth {
            ready: state.ready.len(),
            unsettled: Some(state.delivered.len()),
            consumers: state.seats.len(),
            held_back: state.delayed.len(),
        }
    }

    /// Forgets every message and ends every consumer.
    pub(super) fn close(&self) {
        // Whatever the state owns is dropped after the lock is released.
        let before = std::mem::replace(&mut *self.state(), State { closed: true, ..State::default() });
        self.arrived.notify_waiters();
        before.seats.iter().for_each(|seat| seat.wake());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock, and a half-made change would be no worse than a stopped queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold_back(&mut self, message: Message, until: Instant) {
        self.delayed_bytes += message.payload.len();
        self.delayed.insert((until, self.delayed_next), Message { delay: None, ..message });
        self.delayed_next += 1;
    }

    /// Makes what was held back until now ready.
    fn release(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            let message = first.remove();
            self.delayed_bytes -= message.payload.len();
            self.count_in(&message);
            self.ready.push_back(Ready { message, redelivered: false });
        }
    }

    fn pop(&mut self) -> Option<Ready> {
        while let Some(ready) = self.ready.pop_front() {
            self.ready_bytes -= ready.message.payload.len();
            if ready.message.expires_at.is_none_or(|at| at > Timestamp::now()) {
                return Some(ready);
            }
        }
        None
    }

    /// Puts a delivered message at the head. It had its place, so the bounds do not apply.
    fn put_back(&mut self, message: Message) {
        self.count_in(&message);
        self.ready.push_front(Ready { message, redelivered: true });
    }

    fn count_in(&mut self, message: &Message) {
        self.ready_bytes += message.payload.len();
        if let Some(at) = message.expires_at {
            self.expiry_soonest = Some(self.expiry_soonest.map_or(at, |soonest| soonest.min(at)));
        }
    }

    /// Frees the places of expired messages. Looks at every message, but only when one may have expired:
    /// a full queue must not cost more than an empty one.
    fn drop_expired(&mut self) {
        let Some(soonest) = self.expiry_soonest else { return };
        let now = Timestamp::now();
        if soonest > now {
            return;
        }
        self.ready.retain(|ready| ready.message.expires_at.is_none_or(|at| at > now));
        self.ready_bytes = self.ready.iter().map(|ready| ready.message.payload.len()).sum();
        self.expiry_soonest = self.ready.iter().filter_map(|ready| ready.message.expires_at).min();
    }
}
