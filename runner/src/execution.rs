//! `Execution`: one invoke, from its checks against the document to its answer and record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use swagger::{Checked, Operation, Payload, Refusal, Retries};
use tokio::time::timeout;
use tracing::warn;
use wire::capture::{Capture, Drawn, REDACTED};
use wire::{
    Activation, Answer, Body, Chain, Component, Fault, Invoke, Level, MemberId, Problem, ProblemKind,
    StoredBody, Timestamp, Version,
};

use crate::capture;
use crate::deployed::Deployed;
use crate::notes::{self, Measured, Notes};
use crate::observations::View;
use crate::outside::Outside;
use crate::trace::{self, TRACEPARENT, Trace};
use crate::wasm::{Call, Failure, Outcome, RequestBody, Response};
use crate::{bodies, request};

/// One invoke while it is being answered.
#[derive(Clone)]
pub(crate) struct Execution {
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) invoke: Invoke,
    pub(crate) member: MemberId,
    /// How long a call may take when the operation does not say less.
    pub(crate) call_timeout: Duration,
    /// What operators want to see of it.
    pub(crate) view: View,
    /// Whether what the Func draws from outside is noted. Of a replay it always is.
    pub(crate) recorded: bool,
    /// Where its spans go, if it is traced.
    pub(crate) trace: Option<Trace>,
}

/// What an invoke came to.
pub(crate) struct Ended {
    pub(crate) answer: Answer,
    pub(crate) record: Activation,
    /// Who failed, if the Func has not answered.
    pub(crate) failed: Option<Component>,
    /// What the Func drew from outside, if that was noted and it was begun.
    pub(crate) drawn: Option<Box<Drawn>>,
    /// The invoke, if somebody wants to keep it with what it came to.
    pub(crate) wanted: Option<Box<Wanted>>,
}

/// An invoke that is to be kept.
pub(crate) struct Wanted {
    pub(crate) invoke: Invoke,
    /// Where; there is at least one.
    pub(crate) captures: Vec<Arc<Capture>>,
}

impl Execution {
    /// Answers the invoke, whatever happens.
    pub(crate) async fn run(self) -> Ended {
        let (at, started) = (Timestamp::now(), Instant::now());
        let mut notes = Notes::default();
        let result = self.respond(&mut notes, at).await;
        self.end(result, notes, at, started)
    }

    /// Answers the invoke without beginning it.
    pub(crate) fn refuse(self, kind: ProblemKind, detail: impl Into<String>) -> Ended {
        let problem = self.problem(kind, detail, Component::Runner);
        self.end(Err(problem), Notes::default(), Timestamp::now(), Instant::now())
    }

    /// Answers the invoke because its time was up before there was room for it.
    pub(crate) fn expire(self) -> Ended {
        let detail = self.waited();
        self.refuse(ProblemKind::DeadlineExceeded, detail)
    }

    /// Answers the invoke because its caller does not want it any more.
    pub(crate) fn cancel(self) -> Ended {
        self.refuse(ProblemKind::Cancelled, "the call was cancelled")
    }

    /// Whether to begin the call again does no harm. What no operation takes is not begun at all.
    pub(crate) fn repeatable(&self) -> bool {
        self.invoke.replay.as_ref().is_some_and(|replay| !replay.outside)
            || self.operation().is_none_or(Operation::idempotent)
            || self.invoke.headers.iter().any(|(name, _)| name == "idempotency-key")
    }

    /// Whether it is a copy of a call, to be compared with what that came to.
    pub(crate) fn is_copy(&self) -> bool {
        self.invoke.replay.as_ref().is_some_and(|replay| replay.expected.is_some())
    }

    /// How often the call is begun anew when it fails, if its operation says so.
    pub(crate) fn retries(&self) -> Option<Retries> {
        self.operation().and_then(Operation::retries)
    }

    fn operation(&self) -> Option<&Operation> {
        let Invoke { method, path, .. } = &self.invoke;
        let Deployed { base_path, document, .. } = &*self.deployed;
        document.operation(method, base_path.strip(path)?)
    }

    fn shown_path(&self) -> String {
        let Deployed { base_path, document, .. } = &*self.deployed;
        capture::shown_path(document, base_path, &self.invoke)
    }

    /// How long there is until the deadline.
    pub(crate) fn remaining(&self) -> Duration {
        self.invoke.deadline.remaining(Timestamp::now())
    }

    fn waited(&self) -> String {
        format!("the call waited in {} until its deadline", self.deployed.queue)
    }

    fn end(
        self,
        result: Result<Response, Problem>,
        mut notes: Notes,
        at: Timestamp,
        started: Instant,
    ) -> Ended {
        let (queued, service) = (at.since(self.invoke.at), started.elapsed());
        let ended = telemetry::now();
        if let Some(problem) = result.as_ref().err().filter(|problem| problem.component == Component::Func) {
            notes.add(Level::Error, told(problem));
        }
        let error = result.as_ref().err().map(told);
        let (kind, failed) = result.as_ref().err().map(|problem| (problem.kind, problem.component)).unzip();
        let answer = self.answer(result);
        let measured = Measured { queued, service, status: answer.status };
        let record = self.record(&mut notes, at, &measured, error);
        notes::log(&record);
        if self.invoke.replay.is_none() {
            self.deployed.tally.note(&record, kind, self.trace.as_ref().map(Trace::context));
        }
        if let Some(trace) = &self.trace {
            trace.end(&record, service, ended);
        }
        let captures = self.view.captures(&record);
        let wanted = (!captures.is_empty()).then(|| Box::new(Wanted { invoke: self.invoke, captures }));
        Ended { answer, record, failed, drawn: notes.drawn, wanted }
    }

    /// What is told of the call.
    fn record(
        &self,
        notes: &mut Notes,
        at: Timestamp,
        measured: &Measured,
        error: Option<String>,
    ) -> Activation {
        let (invoke, path) = (&self.invoke, self.shown_path());
        if self.view.level_min <= Level::Debug {
            notes.add_details(invoke, &path, measured);
        }
        Activation {
            v: Version,
            id: invoke.activation,
            request_id: invoke.id.clone(),
            namespace: invoke.namespace.clone(),
            route: self.deployed.route.clone(),
            bundle: self.deployed.sha.clone(),
            operation: notes.operation.take(),
            attempt: invoke.attempt,
            member: self.member.clone(),
            method: invoke.method.clone(),
            path,
            status: measured.status,
            at,
            queued_ms: u64::try_from(measured.queued.as_millis()).unwrap_or(u64::MAX),
            service_us: micros(measured.service),
            cpu_us: micros(notes.cpu),
            error,
            replay_of: invoke.replay.as_ref().map(|replay| replay.of),
            difference: None,
            logs: std::mem::take(&mut notes.logs),
        }
    }

    async fn respond(&self, notes: &mut Notes, now: Timestamp) -> Result<Response, Problem> {
        let remaining = self.invoke.deadline.remaining(now);
        if remaining.is_zero() {
            return Err(self.problem(ProblemKind::DeadlineExceeded, self.waited(), Component::Runner));
        }
        let (checked, body) = match &self.invoke.body {
            Body::Inline(body) => (self.check(Payload::Whole(body))?, body.clone().into()),
            // Boxed: few calls have one, and what reading it holds would be in all of them.
            Body::Stored(stored) => Box::pin(self.check_stored(stored)).await?,
        };
        let operation = checked.operation;
        notes.operation = Some(operation.id().to_owned());
        let timeout = operation.timeout().unwrap_or(self.call_timeout).min(self.call_timeout).min(remaining);
        let level_min = self.view.level_min;
        let request = request::request(&self.invoke, &checked, level_min, body).map_err(|error| {
            let detail = format!("the request cannot be handed to the Func: {error}");
            self.problem(ProblemKind::InvalidRequest, detail, Component::Runner)
        })?;
        let (mut request, request_id) = request;
        let traceparent = self.traceparent();
        if let Some(traceparent) = &traceparent {
            request.headers_mut().insert(TRACEPARENT, traceparent.clone());
        }
        let admits = |status, headers: &[(String, String)]| operation.answers_unread(status, headers);
        let outlet = Some(self.deployed.bodies.outlet(&admits));
        let outside = Outside::of(&self.invoke, self.recorded);
        let trace = self.trace.clone();
        let call = Call { request, request_id, traceparent, trace, timeout, outlet, level_min, outside };
        let Outcome { result, logs, cpu, drawn } = self.deployed.func.call(call).await;
        (notes.logs, notes.cpu, notes.drawn) = (logs, cpu, drawn);
        let response = result.map_err(|failure| self.failed(&failure))?;
        self.check_response(operation, &response)?;
        self.fit(response).await
    }

    /// The context that the Func and whoever it asks carry on: the call's own if it is traced, else that of its sender.
    fn traceparent(&self) -> Option<HeaderValue> {
        match &self.trace {
            Some(trace) => trace::header(trace.context()),
            None if self.invoke.replay.is_some() => None,
            None => self.invoke.traceparent.as_deref()?.parse().ok(),
        }
    }

    /// Checks a request whose body is in the store. The body is read if the document describes it;
    /// otherwise the Func reads it.
    async fn check_stored(&self, stored: &StoredBody) -> Result<(Checked<'_>, RequestBody), Problem> {
        let checked = self.check(Payload::Unread)?;
        let bodies = &self.deployed.bodies;
        if !checked.is_body_due {
            return Ok((checked, self.by_deadline(bodies.open(stored)).await?));
        }
        let body: Bytes = self.by_deadline(bodies.read(stored)).await?;
        Ok((self.check(Payload::Whole(&body))?, body.into()))
    }

    /// Puts a body that was held to be checked, and is too long for a message, into the store.
    async fn fit(&self, response: Response) -> Result<Response, Problem> {
        match response.body {
            Body::Inline(ref bytes) if bytes.len() > Body::INLINE_BYTES_MAX => {
                let kept = self.by_deadline(self.deployed.bodies.keep(bytes)).await?;
                Ok(Response { body: Body::Stored(kept), ..response })
            }
            _ => Ok(response),
        }
    }

    async fn by_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, bodies::Error>>,
    ) -> Result<T, Problem> {
        let remaining = self.invoke.deadline.remaining(Timestamp::now());
        let Ok(result) = timeout(remaining, work).await else {
            let detail = "the store did not hand over or take a body by the deadline";
            return Err(self.problem(ProblemKind::DeadlineExceeded, detail, Component::Runner));
        };
        result.map_err(|error| {
            self.warn(&Chain(&error).to_string(), "body not had or kept");
            self.problem(error.kind(), error.to_string(), Component::Runner)
        })
    }

    fn check(&self, body: Payload<'_>) -> Result<Checked<'_>, Problem> {
        let Deployed { base_path, document, .. } = &*self.deployed;
        let Some(path) = base_path.strip(&self.invoke.path) else {
            let detail = format!("{} is not below {base_path}", self.invoke.path);
            return Err(self.problem(ProblemKind::NotFound, detail, Component::Runner));
        };
        let Invoke { method, query, headers, .. } = &self.invoke;
        let request = swagger::Request { method, path, query, headers, body };
        let checked = match self.invoke.replay {
            Some(_) => document.check_redacted(&request, REDACTED),
            None => document.check(&request),
        };
        checked.map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> Problem {
        let kind = ProblemKind::of_refusal(refusal.status);
        let mut problem = self
            .problem(kind, refusal.detail, Component::Runner)
            .with_faults(refusal.faults.iter().map(fault).collect());
        if !refusal.allow.is_empty() {
            problem = problem.with_header("allow", refusal.allow.join(", "));
        }
        let challenges = refusal.challenges.into_iter();
        challenges.fold(problem, |problem, challenge| problem.with_header("www-authenticate", challenge))
    }

    fn failed(&self, failure: &Failure) -> Problem {
        let (kind, component) = match failure {
            Failure::TooSlow(_) | Failure::TooBusy(_) => (ProblemKind::DeadlineExceeded, Component::Func),
            Failure::NotStarted(why)
            | Failure::Panicked(why)
            | Failure::NotKept(why)
            | Failure::RequestLost(why) => {
                self.warn(why, &failure.to_string());
                (ProblemKind::FuncFailed, Component::Runner)
            }
            _ => (ProblemKind::FuncFailed, Component::Func),
        };
        self.problem(kind, failure.to_string(), component)
    }

    fn check_response(&self, operation: &Operation, response: &Response) -> Result<(), Problem> {
        let Response { status, headers, body } = response;
        let checked = match body {
            Body::Inline(body) => operation.check_response(&self.invoke.method, *status, headers, body),
            // Only what may pass unread is there already.
            Body::Stored(_) => operation.check_response_head(*status, headers),
        };
        checked.map_err(|faults| {
            let detail = format!("the Func's answer with status {status} breaks its document");
            self.problem(ProblemKind::InvalidResponse, detail, Component::Func)
                .with_faults(faults.iter().map(fault).collect())
        })
    }

    fn warn(&self, error: &str, what: &str) {
        let Invoke { id, activation, namespace, .. } = &self.invoke;
        let Deployed { route, sha, .. } = &*self.deployed;
        let operation = self.operation().map(Operation::id);
        warn!(request_id = %id, %activation, %namespace, %route, bundle = sha.short(), operation, error, "{what}");
    }

    fn problem(&self, kind: ProblemKind, detail: impl Into<String>, component: Component) -> Problem {
        Problem::new(kind, detail, self.invoke.id.clone(), component)
    }

    fn answer(&self, result: Result<Response, Problem>) -> Answer {
        let Invoke { id, activation, attempt, .. } = &self.invoke;
        let bundle = Some(self.deployed.sha.clone());
        match result {
            Ok(Response { status, headers, body }) => Answer {
                v: Version,
                id: id.clone(),
                activation: *activation,
                attempt: *attempt,
                bundle,
                status,
                headers,
                body,
                part: 0,
                more: false,
            },
            // The bundle had no part in that: it is how a cancelled call is known.
            Err(problem) if problem.kind == ProblemKind::Cancelled => {
                Answer::problem(*activation, *attempt, problem)
            }
            Err(problem) => Answer { bundle, ..Answer::problem(*activation, *attempt, problem) },
        }
    }
}

/// A problem and its faults in one line.
fn told(problem: &Problem) -> String {
    let fault = |Fault { location, pointer, reason }: &Fault| {
        let between = if pointer.is_empty() { "" } else { " " };
        format!("{location}{between}{pointer}: {reason}")
    };
    let faults = problem.faults.iter().map(fault);
    std::iter::once(problem.detail.clone()).chain(faults).collect::<Vec<_>>().join("; ")
}

fn fault(fault: &swagger::Fault) -> Fault {
    Fault::new(fault.location, &fault.pointer, &fault.reason)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
