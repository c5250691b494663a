//! `Tape`: notes what a call draws from outside, and plays back what one drew before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::BytesMut;
use wasmtime_wasi::WasiCtxBuilder;
use wire::capture::{Drawn, HostCall, HttpExchange, HttpOutcome};
use wire::{Body, Level, LogLine, Stream, Timestamp};

use super::Played;
use super::clocks::{Clock, Monotonic, Wall};
use super::dice::{self, Dice};
use crate::url::Url;

/// Readings of clocks and draws of random bytes that are noted of one call. Some 50 bytes each; who draws more waits in a
/// loop for the time to pass.
const CALLS_MAX: usize = 10_000;
/// Bytes that are kept of all requests of one call and of what they were answered: heads and bodies.
const BYTES_MAX: usize = 1 << 20;
/// Requests of which a line in the call's log says that they were refused: whoever reads it knows by then.
const SAID_MAX: usize = 20;
/// Characters of the URL in such a line.
const SAID_URL_MAX: usize = 256;

/// Notes what a call draws from outside, and plays back what one drew before. Cheap to clone; the clones share it.
#[derive(Clone)]
pub(crate) struct Tape(Arc<Mutex<Reel>>);

struct Reel {
    began: Instant,
    seed: String,
    wall: Clock,
    monotonic: Clock,
    /// What was answered before and was not asked for yet.
    answers: VecDeque<HttpExchange>,
    /// Whether requests may go out to which there is no answer.
    open: bool,
    noted: Vec<Noted>,
    bytes_left: usize,
    truncated: bool,
    logs: Vec<LogLine>,
}

/// One thing that was asked for.
enum Noted {
    Drawn(HostCall),
    Exchange(Box<Exchanging>),
}

/// A request and its response while their bodies come.
pub(super) struct Exchanging {
    pub(super) exchange: HttpExchange,
    pub(super) sent: BytesMut,
    pub(super) received: BytesMut,
}

/// Where the answer to a request comes from.
pub(crate) enum Answering {
    /// From whoever is asked.
    World,
    /// From what was recorded.
    Record(Box<HttpExchange>),
    /// From nowhere: it was not recorded, and may not go out.
    Nowhere,
}

impl Tape {
    /// One that notes what the world gives.
    pub(super) fn blank() -> Self {
        Self::new(dice::seed(), [Clock::Real, Clock::Real], VecDeque::new(), true)
    }

    /// One that plays back what is on another.
    pub(super) fn playing(played: Played) -> Self {
        let Played { drawn, at, open } = played;
        let Some(drawn) = drawn else {
            return Self::new(dice::seed(), [Clock::Real, Clock::Real], VecDeque::new(), open);
        };
        let [mut wall, mut monotonic] = <[Vec<u64>; 2]>::default();
        let mut answers = VecDeque::new();
        for call in drawn.calls {
            match call {
                HostCall::WallClock { ns, .. } => wall.push(ns),
                HostCall::MonotonicClock { ns, .. } => monotonic.push(ns),
                HostCall::Random { .. } => {}
                HostCall::Http(exchange) => answers.push_back(*exchange),
            }
        }
        let began_ns = at.0.saturating_mul(1_000_000);
        let clocks = [Clock::played(wall, began_ns), Clock::played(monotonic, 0)];
        Self::new(drawn.seed, clocks, answers, open)
    }

    fn new(seed: String, clocks: [Clock; 2], answers: VecDeque<HttpExchange>, open: bool) -> Self {
        let [wall, monotonic] = clocks;
        Self(Arc::new(Mutex::new(Reel {
            began: Instant::now(),
            seed,
            wall,
            monotonic,
            answers,
            open,
            noted: Vec::new(),
            bytes_left: BYTES_MAX,
            truncated: false,
            logs: Vec::new(),
        })))
    }

    /// Has a guest draw its time and its random bytes from here.
    pub(crate) fn furnish(&self, wasi: &mut WasiCtxBuilder) {
        let seed = self.reel().seed.clone();
        wasi.wall_clock(Wall(self.clone()))
            .monotonic_clock(Monotonic(self.clone()))
            .secure_random(Dice::secure(&seed, self.clone()))
            .insecure_random(Dice::insecure(&seed, self.clone()))
            .insecure_random_seed(dice::insecure_seed(&seed));
    }

    /// What was drawn until now, and what there is to say about it.
    pub(crate) fn take(&self) -> (Drawn, Vec<LogLine>) {
        let mut reel = self.reel();
        let calls = reel.noted.drain(..).map(Noted::finish).collect();
        let drawn = Drawn { seed: reel.seed.clone(), calls, truncated: reel.truncated };
        (drawn, std::mem::take(&mut reel.logs))
    }

    pub(super) fn wall_ns(&self) -> u64 {
        self.reel().read(|reel| &mut reel.wall, since_epoch_ns, |at_us, ns| HostCall::WallClock { at_us, ns })
    }

    pub(super) fn monotonic_ns(&self) -> u64 {
        let mut reel = self.reel();
        let began = reel.began;
        let note = |at_us, ns| HostCall::MonotonicClock { at_us, ns };
        reel.read(|reel| &mut reel.monotonic, || saturated(began.elapsed().as_nanos()), note)
    }

    /// Notes random bytes, those that are drawn in a row together.
    pub(super) fn note_random(&self, more: u64) {
        let mut reel = self.reel();
        if let Some(Noted::Drawn(HostCall::Random { bytes, .. })) = reel.noted.last_mut() {
            *bytes += more;
        } else {
            let at_us = reel.now_us();
            reel.note(HostCall::Random { at_us, bytes: more });
        }
    }

    /// Notes a request, if there is room for its head; gives where, and where its answer comes from.
    pub(super) fn begin(&self, request: &http::request::Parts) -> (Option<usize>, Answering) {
        let mut reel = self.reel();
        let exchange = HttpExchange {
            at_us: reel.now_us(),
            took_us: 0,
            method: request.method.to_string(),
            url: request.uri.to_string(),
            headers: texts(&request.headers),
            body: Body::EMPTY,
            // Until there is another: what the Func did not wait for.
            outcome: HttpOutcome::Failed(super::error_code::UNFINISHED.to_owned()),
        };
        let answering = reel.answering(&exchange);
        if let Answering::Nowhere = answering {
            reel.say_refused(&exchange);
        }
        if !reel.has_room(exchange.method.len() + exchange.url.len() + header_bytes(&exchange.headers)) {
            return (None, answering);
        }
        let exchanging = Exchanging { exchange, sent: BytesMut::new(), received: BytesMut::new() };
        reel.noted.push(Noted::Exchange(Box::new(exchanging)));
        (Some(reel.noted.len() - 1), answering)
    }

    /// Adds to what is noted of a request; nothing once the notes were taken.
    pub(super) fn amend(&self, entry: Option<usize>, amend: impl FnOnce(&mut Exchanging, u64)) {
        let mut reel = self.reel();
        let now_us = reel.now_us();
        if let Some(Noted::Exchange(exchanging)) = entry.and_then(|entry| reel.noted.get_mut(entry)) {
            amend(exchanging, now_us);
        }
    }

    /// Room for this many bytes of a request or its response, if there is any left; else the call's record is not whole.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.reel().has_room(bytes)
    }

    /// Notes that there was something that is not noted.
    pub(crate) fn truncate(&self) {
        self.reel().truncated = true;
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reel {
    fn now_us(&self) -> u64 {
        saturated(self.began.elapsed().as_micros())
    }

    fn read(
        &mut self,
        clock: impl Fn(&mut Self) -> &mut Clock,
        real_ns: impl Fn() -> u64,
        note: impl Fn(u64, u64) -> HostCall,
    ) -> u64 {
        let at_us = self.now_us();
        let ns = clock(self).read(real_ns);
        self.note(note(at_us, ns));
        ns
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => self.bytes_left = left,
            // What comes after a gap is of no use.
            None => (self.bytes_left, self.truncated) = (0, true),
        }
        !self.truncated
    }

    /// Tells whoever reads the call's log of a request that was not recorded.
    fn say_refused(&mut self, asked: &HttpExchange) {
        if self.logs.len() >= SAID_MAX {
            return;
        }
        let url = Url::parse(&asked.url).shown();
        let url: String = url.chars().take(SAID_URL_MAX).collect();
        let text = format!("{} {url} was not recorded, and the replay may not go outside", asked.method);
        let at_us = Some(asked.at_us);
        self.logs.push(LogLine {
            at: Timestamp::now(),
            at_us,
            stream: Stream::Platform,
            level: Level::Warn,
            text,
        });
    }

    fn note(&mut self, call: HostCall) {
        if self.noted.len() < CALLS_MAX {
            self.noted.push(Noted::Drawn(call));
        } else {
            self.truncated = true;
        }
    }

    /// The answer to the first request of its kind is the first that was recorded, and so on.
    fn answering(&mut self, asked: &HttpExchange) -> Answering {
        let is_it = |known: &HttpExchange| known.method == asked.method && is_same(&known.url, &asked.url);
        match self.answers.iter().position(is_it).and_then(|place| self.answers.remove(place)) {
            Some(known) => Answering::Record(Box::new(known)),
            None if self.open => Answering::World,
            None => Answering::Nowhere,
        }
    }
}

impl Noted {
    fn finish(self) -> HostCall {
        let Exchanging { mut exchange, sent, received } = match self {
            Self::Drawn(call) => return call,
            Self::Exchange(exchanging) => *exchanging,
        };
        exchange.body = Body::Inline(sent.freeze());
        if let HttpOutcome::Response { body, .. } = &mut exchange.outcome {
            *body = Body::Inline(received.freeze());
        }
        HostCall::Http(Box::new(exchange))
    }
}

/// Whether a URL is the recorded one, out of which secrets were taken.
fn is_same(recorded: &str, url: &str) -> bool {
    recorded == url || Url::parse(recorded).stands_for(&Url::parse(url))
}

/// Headers as texts.
pub(super) fn texts(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// How many bytes of headers there are.
pub(crate) fn header_bytes(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn since_epoch_ns() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    saturated(since.unwrap_or_default().as_nanos())
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_its_secrets_stands_for_the_url() {
        for (recorded, url) in [
            ("http://a/b", "http://a/b"),
            ("http://a/b?x=1&key=[redacted]", "http://a/b?x=1&key=secret"),
            ("http://a/b?token=%5Bredacted%5D&x=1", "http://a/b?token=secret&x=1"),
        ] {
            assert!(is_same(recorded, url), "{recorded} {url}");
        }
        for (recorded, url) in [
            ("http://a/b", "http://a/b?x=1"),
            ("http://a/b?key=[redacted]", "http://a/c?key=secret"),
            ("http://a/b?key=[redacted]", "http://a/b?key=secret&x=1"),
            ("http://a/b?key=[redacted]&x=1", "http://a/b?key=secret"),
            ("http://a/b?key=[redacted]", "http://a/b?keys=secret"),
        ] {
            assert!(!is_same(recorded, url), "{recorded} {url}");
        }
    }

    #[test]
    fn a_refused_request_is_told_without_its_secrets() {
        let drawn = Some(Drawn { seed: "0".repeat(64), ..Drawn::default() });
        let tape = Tape::playing(Played { drawn, at: Timestamp(0), open: false });
        let asked = http::Request::get("http://me:hunter22@a.test/x?token=1").body(()).unwrap();
        tape.begin(&asked.into_parts().0);
        let told = "GET http://a.test/x was not recorded, and the replay may not go outside";
        assert_eq!(tape.take().1[0].text, told);
    }

    #[test]
    fn what_is_noted_has_bounds() {
        let tape = Tape::blank();
        for _ in 0..=CALLS_MAX {
            tape.wall_ns();
        }
        assert!(tape.has_room(BYTES_MAX - 1) || tape.take().0.truncated);
        let tape = Tape::blank();
        assert!(tape.has_room(BYTES_MAX - 1) && !tape.has_room(2) && !tape.has_room(1));
        assert!(tape.take().0.truncated);
    }
}
