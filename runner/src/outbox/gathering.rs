//! `Gathering`: the answers that a thread has ready at about the same time, so that they travel together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use wire::broker::{self, Message};
use wire::{Timestamp, join_lines};

/// How long an answer waits for others while its thread is busy with their calls: about as long as a broker
/// elsewhere takes to pass it on.
const WAIT_MAX: Duration = Duration::from_millis(1);
/// Lines of one message. More would keep whoever reads it busy for long.
const LINES_MAX: usize = 64;
/// Bytes of a message that has more than one line.
const BYTES_MAX: usize = 256 * 1024;

/// What becomes of a line.
type Outcome = Result<(), broker::Error>;

/// Lines that wait for each other.
#[derive(Default)]
pub(super) struct Gathering(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    since: Option<Instant>,
    parcels: Vec<Parcel>,
}

/// Lines for one queue, and who waits for their fate.
pub(super) struct Parcel {
    pub(super) queue: String,
    lines: Vec<Bytes>,
    bytes: usize,
    /// When none of them is of use any more.
    expires_at: Timestamp,
    told: Vec<oneshot::Sender<Outcome>>,
}

impl Gathering {
    /// Adds a line. Says whether it is the first, which somebody has to see to, and what becomes of it.
    pub(super) fn add(
        &self,
        queue: &str,
        line: Bytes,
        expires_at: Timestamp,
    ) -> (bool, oneshot::Receiver<Outcome>) {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.waiting();
        let is_first = waiting.since.is_none();
        waiting.since.get_or_insert_with(Instant::now);
        // Few queues have answers at a time: there is one for each frontend.
        let open = waiting.parcels.iter_mut().rev().find(|parcel| parcel.queue == queue);
        match open {
            Some(parcel) if parcel.has_room(&line) => parcel.add(line, expires_at, tell),
            _ => waiting.parcels.push(Parcel::new(queue, line, expires_at, tell)),
        }
        (is_first, told)
    }

    /// Whether what waits has waited for long.
    pub(super) fn is_due(&self) -> bool {
        self.waiting().since.is_some_and(|since| since.elapsed() >= WAIT_MAX)
    }

    /// Everything that waits.
    pub(super) fn take(&self) -> Vec<Parcel> {
        std::mem::take(&mut *self.waiting()).parcels
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parcel {
    fn new(queue: &str, line: Bytes, expires_at: Timestamp, tell: oneshot::Sender<Outcome>) -> Self {
        let (queue, bytes) = (queue.to_owned(), line.len());
        Self { queue, lines: vec![line], bytes, expires_at, told: vec![tell] }
    }

    fn has_room(&self, line: &Bytes) -> bool {
        self.lines.len() < LINES_MAX && self.bytes + line.len() <= BYTES_MAX
    }

    fn add(&mut self, line: Bytes, expires_at: Timestamp, tell: oneshot::Sender<Outcome>) {
        self.bytes += line.len();
        self.lines.push(line);
        self.expires_at = self.expires_at.max(expires_at);
        self.told.push(tell);
    }

    /// Its lines as one message, of use for as long as any of them is.
    pub(super) fn message(&self) -> Message {
        Message::new(join_lines(&self.lines)).joinable().expires_at(self.expires_at)
    }

    /// Tells everybody who waits.
    pub(super) fn tell(self, outcome: &Outcome) {
        for told in self.told {
            // Whoever gave up waiting needs no answer.
            let _gone = told.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn gathered(lines: &[(&str, String)]) -> Vec<(String, usize)> {
        let gathering = Gathering::default();
        for (queue, line) in lines {
            let _told = gathering.add(queue, line.clone().into(), Timestamp(1));
        }
        gathering.take().into_iter().map(|parcel| (parcel.queue, parcel.lines.len())).collect()
    }

    #[test]
    fn answers_for_one_queue_travel_together() {
        let gathering = Gathering::default();
        let (is_first, first) = gathering.add("a", "1\n".into(), Timestamp(5));
        assert!(is_first);
        assert!(!gathering.add("b", "2\n".into(), Timestamp(7)).0);
        assert!(!gathering.add("a", "3\n".into(), Timestamp(6)).0);
        let [a, b] = gathering.take().try_into().ok().unwrap();
        assert_eq!((a.message().payload, a.message().expires_at), ("1\n3\n".into(), Some(Timestamp(6))));
        assert_eq!((b.queue.as_str(), b.message().payload), ("b", "2\n".into()));
        a.tell(&Err(broker::Error::Full("a".into())));
        assert_eq!(first.now_or_never().unwrap().unwrap(), Err(broker::Error::Full("a".into())));
        assert!(gathering.take().is_empty());
        assert!(gathering.add("a", "4\n".into(), Timestamp(5)).0);
    }

    #[test]
    fn a_message_is_bounded_in_lines_and_bytes() {
        let short = vec![("a", "1\n".to_owned()); LINES_MAX + 1];
        assert_eq!(gathered(&short), [("a".into(), LINES_MAX), ("a".into(), 1)]);
        let half = vec![("a", "x".repeat(BYTES_MAX / 2 + 1)); 2];
        assert_eq!(gathered(&half), [("a".into(), 1), ("a".into(), 1)]);
    }

    #[test]
    fn what_has_waited_for_long_is_due() {
        let gathering = Gathering::default();
        assert!(!gathering.is_due());
        let _told = gathering.add("a", "1\n".into(), Timestamp(5));
        let begun = Instant::now();
        while !gathering.is_due() {
            assert!(begun.elapsed() < Duration::from_secs(10));
            std::hint::spin_loop();
        }
        let _parcels = gathering.take();
        assert!(!gathering.is_due());
    }
}
