//! `Sink`: the HTTP server outside the system to which the ledger Func writes what it executes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustix::process::Signal;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::clock::Clock;
use super::ledger::{Execution, Fault, Operation};
use super::members::Members;
use super::peer;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    page: Arc<Mutex<Page>>,
}

/// What is being written down: one run's.
struct Page {
    clock: Clock,
    random: fastrand::Rng,
    executions: Vec<Execution>,
    /// The runners that were ended by what they executed.
    faults: Vec<Fault>,
}

/// What the ledger Func says.
#[derive(Deserialize)]
struct Entry {
    id: Uuid,
    attempt: u32,
    version: String,
}

/// How long a slow call is held, in milliseconds.
const HELD: std::ops::Range<u64> = 100..400;

impl Sink {
    /// Starts to listen. The runners among the members are those that poison may end.
    pub(crate) async fn start(members: Members, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, page: Arc::new(Mutex::new(Page::new(0))) };
        tasks.spawn(sink.clone().accept(listener, members));
        Ok(sink)
    }

    /// Begins a new page for a run.
    pub(crate) fn begin(&self, clock: Clock, seed: u64) {
        *self.page.lock().unwrap() = Page { clock, ..Page::new(seed) };
    }

    /// Takes what was written down.
    pub(crate) fn take(&self) -> (Vec<Execution>, Vec<Fault>) {
        let mut page = self.page.lock().unwrap();
        (std::mem::take(&mut page.executions), std::mem::take(&mut page.faults))
    }

    async fn accept(self, listener: TcpListener, members: Members) {
        // As many as runners open.
        let mut connections = JoinSet::new();
        while let Ok((stream, peer)) = listener.accept().await {
            let (sink, members) = (self.clone(), members.clone());
            connections.spawn(async move { sink.serve(stream, peer, &members).await });
            while connections.try_join_next().is_some() {}
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, members: &Members) {
        let service = service_fn(|request| self.answer(request, peer, members));
        // Whoever is killed leaves a broken connection behind.
        let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        members: &Members,
    ) -> anyhow::Result<Response<Empty<Bytes>>> {
        let operation = Operation::of(request.uri().path().trim_start_matches('/'));
        let entry: Entry = serde_json::from_slice(&request.into_body().collect().await?.to_bytes())?;
        let held = self.write_down(entry);
        match operation {
            Some(Operation::Slow) => held.await,
            Some(Operation::Poison) => self.poison(peer, members),
            _ => {}
        }
        Ok(Response::new(Empty::new()))
    }

    /// Writes it down; how long a slow call is to wait.
    fn write_down(&self, Entry { id, attempt, version }: Entry) -> impl Future<Output = ()> + use<> {
        let mut page = self.page.lock().unwrap();
        let at = page.clock.now();
        page.executions.push(Execution { id, attempt, version, at });
        let (clock, held) = (page.clock, Duration::from_millis(page.random.u64(HELD)));
        async move { clock.reach(at + held).await }
    }

    /// Ends the process that executes the call, so that it never hears of an answer.
    fn poison(&self, peer: SocketAddr, members: &Members) {
        let runners = members.like("runner");
        let pids: Vec<u32> = runners.iter().map(|(_, pid)| *pid).collect();
        let Some(pid) = peer::holder(peer, self.address, &pids) else { return };
        let name = runners.into_iter().find(|(_, other)| *other == pid).map(|(name, _)| name);
        let Some(name) = name.filter(|name| members.signal(name, Signal::KILL).is_ok()) else { return };
        let mut page = self.page.lock().unwrap();
        let at = page.clock.now();
        page.faults.push(Fault::instant(format!("poison killed {name}"), at));
    }
}

impl Page {
    fn new(seed: u64) -> Self {
        Self {
            clock: Clock::start(),
            random: fastrand::Rng::with_seed(seed),
            executions: Vec::new(),
            faults: Vec::new(),
        }
    }
}
