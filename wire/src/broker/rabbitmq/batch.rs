//! Natural batching: which of the messages that wait for the connection travel as one.

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::broker::{Error, Message};
use crate::join_lines;

/// More lines than this in a message would make one consumer wait for many calls while others have none.
const LINES_MAX: usize = 64;
/// As much as a single message without a body in the store may have.
const JOINED_BYTES_MAX: usize = 256 * 1024;

/// A message that somebody wants to see in a queue.
pub(super) struct Job {
    pub(super) exchange: &'static str,
    pub(super) key: String,
    pub(super) message: Message,
    /// Whether it is an error that nobody is bound for it.
    pub(super) mandatory: bool,
    pub(super) done: oneshot::Sender<Result<(), Error>>,
}

/// One message on the wire, and everybody who waits for its fate.
pub(super) struct Parcel {
    pub(super) exchange: &'static str,
    pub(super) key: String,
    pub(super) message: Message,
    pub(super) mandatory: bool,
    pub(super) callers: Vec<oneshot::Sender<Result<(), Error>>>,
    /// What the payload is made of, until it is one piece.
    parts: Vec<Bytes>,
    bytes: usize,
}

/// Packs what waits. Only whole lines that go to the same queue and may be joined are, and only to the
/// parcel before them, so that the order of a queue's messages stays as it was.
pub(super) fn pack(jobs: impl Iterator<Item = Job>) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for job in jobs {
        let before = parcels.iter_mut().rev().find(|parcel| parcel.key == job.key);
        match before {
            Some(parcel) if parcel.takes(&job) => parcel.add(job),
            _ => parcels.push(Parcel::new(job)),
        }
    }
    parcels.iter_mut().for_each(Parcel::close);
    parcels
}

impl Parcel {
    fn new(job: Job) -> Self {
        let Job { exchange, key, message, mandatory, done } = job;
        let bytes = message.payload.len();
        let parts = Vec::new();
        Self { exchange, key, message, mandatory, callers: vec![done], parts, bytes }
    }

    fn takes(&self, job: &Job) -> bool {
        joinable(&self.message)
            && joinable(&job.message)
            && self.exchange == job.exchange
            && self.callers.len() < LINES_MAX
            && self.bytes + job.message.payload.len() <= JOINED_BYTES_MAX
    }

    fn add(&mut self, job: Job) {
        self.bytes += job.message.payload.len();
        if self.parts.is_empty() {
            self.parts.push(std::mem::take(&mut self.message.payload));
        }
        self.parts.push(job.message.payload);
        // Of use for as long as any of it is: the lines carry their own deadlines.
        self.message.expires_at = self.message.expires_at.zip(job.message.expires_at).map(|(a, b)| a.max(b));
        self.callers.push(job.done);
    }

    fn close(&mut self) {
        if self.parts.is_empty() {
            return;
        }
        self.message.payload = join_lines(&self.parts);
        self.parts.clear();
    }

    /// Tells everybody who waits.
    pub(super) fn tell(&mut self, outcome: &Result<(), Error>) {
        for caller in self.callers.drain(..) {
            // Whoever gave up waiting needs no answer.
            let _gone = caller.send(outcome.clone());
        }
    }
}

fn joinable(message: &Message) -> bool {
    message.joinable && !message.persistent && message.dead_reason.is_none() && message.delay.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn job(queue: &str, message: Message) -> Job {
        let (done, _) = oneshot::channel();
        Job { exchange: "x", key: queue.to_owned(), message, mandatory: true, done }
    }

    fn line(text: &str) -> Message {
        Message::new(Bytes::from(format!("{text}\n"))).joinable()
    }

    fn packed(jobs: Vec<Job>) -> Vec<(String, String)> {
        let text = |parcel: &Parcel| String::from_utf8(parcel.message.payload.to_vec()).unwrap();
        pack(jobs.into_iter()).iter().map(|parcel| (parcel.key.clone(), text(parcel))).collect()
    }

    #[test]
    fn lines_for_one_queue_travel_together() {
        let jobs = vec![job("a", line("1")), job("b", line("2")), job("a", line("3"))];
        assert_eq!(packed(jobs), [("a".into(), "1\n3\n".into()), ("b".into(), "2\n".into())]);
    }

    #[test]
    fn nothing_overtakes_what_must_travel_alone() {
        let alone = Message::new(Bytes::from("2\n"));
        let jobs = vec![job("a", line("1")), job("a", alone), job("a", line("3")), job("a", line("4"))];
        let expected =
            [("a".into(), "1\n".into()), ("a".into(), "2\n".into()), ("a".into(), "3\n4\n".into())];
        assert_eq!(packed(jobs), expected);
    }

    #[test]
    fn what_must_persist_travels_alone() {
        let jobs = vec![job("a", line("1").persistent()), job("a", line("2").persistent())];
        assert_eq!(packed(jobs).len(), 2);
    }

    #[test]
    fn a_parcel_is_bounded_in_lines_and_bytes() {
        let many = (0..=LINES_MAX).map(|_| job("a", line("1"))).collect();
        assert_eq!(packed(many).len(), 2);
        let half = "x".repeat(JOINED_BYTES_MAX / 2);
        assert_eq!(packed(vec![job("a", line(&half)), job("a", line(&half))]).len(), 2);
    }

    #[test]
    fn a_parcel_is_of_use_for_as_long_as_any_of_it_is() {
        let at = |at| line("1").expires_at(Timestamp(at));
        let expiry = |jobs: Vec<Job>| pack(jobs.into_iter())[0].message.expires_at;
        assert_eq!(expiry(vec![job("a", at(5)), job("a", at(9)), job("a", at(7))]), Some(Timestamp(9)));
        assert_eq!(expiry(vec![job("a", at(5)), job("a", line("1"))]), None);
    }
}
