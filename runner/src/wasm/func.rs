//! `Func`: a program with its settings; each call of it runs in an instance of its own.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use http::HeaderValue;
use telemetry::SpanKind;
use tokio::sync::oneshot;
use tokio::time::Instant;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wire::capture::Drawn;
use wire::{Chain, Level, LogLine};

use super::meter::Meter;
use super::outlet::Outlet;
use super::output::Output;
use super::request_body::{Loss, RequestBody};
use super::response::{self, Response};
use super::store::{self, Surroundings};
use super::{Environment, Failure, Limits, Program};
use crate::egress::{Egress, Reach};
use crate::outside::{Outside, Tape};
use crate::trace::Trace;

/// A program with the settings of one deployment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Func {
    pub(crate) program: Program,
    pub(crate) environment: Environment,
    pub(crate) reach: Reach,
    pub(crate) limits: Limits,
}

/// One request for a Func.
pub(crate) struct Call<'a> {
    /// The request, its target with scheme and authority.
    pub(crate) request: http::Request<RequestBody>,
    /// The id of the call, for whoever the Func calls.
    pub(crate) request_id: HeaderValue,
    /// The trace context, for the same.
    pub(crate) traceparent: Option<HeaderValue>,
    /// Where its spans go, if it is traced.
    pub(crate) trace: Option<Trace>,
    /// How long it may take, from when it is made.
    pub(crate) timeout: Duration,
    /// Where a large body of the response may go.
    pub(crate) outlet: Option<Outlet<'a>>,
    /// Lines that it prints below this level are dropped.
    pub(crate) level_min: Level,
    /// What it finds outside.
    pub(crate) outside: Outside,
}

/// What a call came to.
pub(crate) struct Outcome {
    pub(crate) result: Result<Response, Failure>,
    pub(crate) logs: Vec<LogLine>,
    /// How much of a processor it has used.
    pub(crate) cpu: Duration,
    /// What it drew from outside, if that was noted.
    pub(crate) drawn: Option<Box<Drawn>>,
}

impl Func {
    /// Runs the Func for one request, within its limits. It never fails otherwise than by its
    /// [`Outcome`], and dropping it ends the guest.
    pub(crate) async fn call(&self, mut call: Call<'_>) -> Outcome {
        let output = Output::new(self.limits.log_bytes_max, call.level_min);
        let tape = std::mem::replace(&mut call.outside, Outside::Live).tape();
        let mut meter = Meter::default();
        let limited = self.limited(call, output.clone(), tape.clone(), &mut meter);
        let running = AssertUnwindSafe(limited).catch_unwind();
        let result = running.await.unwrap_or_else(|panic| Err(Failure::Panicked(text_of(&*panic))));
        let mut logs = output.take();
        let drawn = tape.map(|tape| {
            let (drawn, said) = tape.take();
            logs.extend(said);
            Box::new(drawn)
        });
        Outcome { result, logs, cpu: meter.used(), drawn }
    }

    /// Runs the guest until it is done, or has used up its time on the clock or on the processor.
    async fn limited(
        &self,
        call: Call<'_>,
        output: Output,
        tape: Option<Tape>,
        meter: &mut Meter,
    ) -> Result<Response, Failure> {
        let timeout = call.timeout;
        let deadline = Instant::now() + timeout;
        let mut guest = pin!(self.run(call, output, tape));
        // The guest runs nowhere but in these polls, and every tick of the engine ends one.
        let metered = poll_fn(|cx| match meter.run(|| guest.as_mut().poll(cx)) {
            (Poll::Pending, used) if used > self.limits.cpu_max => {
                Poll::Ready(Err(Failure::TooBusy(self.limits.cpu_max)))
            }
            (polled, _) => polled,
        });
        tokio::time::timeout_at(deadline, metered).await.unwrap_or(Err(Failure::TooSlow(timeout)))
    }

    async fn run(&self, call: Call<'_>, output: Output, tape: Option<Tape>) -> Result<Response, Failure> {
        let exhausted = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = oneshot::channel();
        let is_head = call.request.method() == http::Method::HEAD;
        let (loss, outlet) = (call.request.body().loss(), call.outlet);
        let guest = async {
            let handled = self.handle(call, output, tape, exhausted.clone(), sender).await;
            handled.map_err(|error| {
                let refused_memory = exhausted.load(Ordering::Relaxed);
                Failure::of(&error, refused_memory.then_some(self.limits.memory_max))
            })
        };
        // In one task: the guest writes its body while we read it, and neither needs a thread hop.
        let response = response::collect(receiver, self.limits.response_bytes_max, outlet, is_head);
        let result = futures_util::try_join!(guest, response).map(|((), response)| response);
        match loss.as_ref().and_then(Loss::error) {
            Some(error) => Err(Failure::RequestLost(Chain(error).to_string())),
            None => result,
        }
    }

    /// Instantiates the program and lets it handle the request. The store goes with the end of it, and
    /// with the store whatever the guest left open: that ends a response that it never finished.
    async fn handle(
        &self,
        call: Call<'_>,
        output: Output,
        tape: Option<Tape>,
        exhausted: Arc<AtomicBool>,
        sender: oneshot::Sender<response::Handed>,
    ) -> wasmtime::Result<()> {
        let surroundings = Surroundings {
            environment: self.environment.clone(),
            egress: Egress::new(self.reach.clone(), call.request_id, tape.clone())
                .within(call.traceparent, call.trace.clone()),
            output,
            tape,
            memory_max: self.limits.memory_max,
            exhausted,
        };
        let part = |name| call.trace.as_ref().map(|trace| trace.part(name, SpanKind::Internal));
        let load = part("load");
        let mut store = store::fresh(self.program.0.engine(), surroundings);
        let scheme = match call.request.uri().scheme_str() {
            Some("https") => Scheme::Https,
            _ => Scheme::Http,
        };
        let mut http = store.data_mut().http();
        let request = http.new_incoming_request(scheme, call.request)?;
        let response = http.new_response_outparam(sender)?;
        let instance = self.program.0.instantiate_async(&mut store).await?;
        drop(load);
        let _run = part("run");
        instance.wasi_http_incoming_handler().call_handle(&mut store, request, response).await
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
