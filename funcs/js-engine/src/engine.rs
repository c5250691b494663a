//! `Engine`: QuickJS with the prelude loaded, and the way of one request through it.

use std::cell::OnceCell;

use funcatron_guest::{Problem, Request, Response};
use rquickjs::context::intrinsic;
use rquickjs::promise::PromiseState;
use rquickjs::{Array, Context, Ctx, Function, Module, Object, Persistent, Promise, Runtime};
use rquickjs::{TypedArray, Value};

use crate::deployment::Deployment;
use crate::{native, prelude};

/// Everything but `performance`, whose origin would be that of the snapshot.
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
    intrinsic::DOMException,
);

/// Above this a script gets an out-of-memory error that it can report; the runner's own limit is a trap.
const MEMORY_BYTES_MAX: usize = 96 << 20;

/// Deep recursion is a RangeError. QuickJS counts its stack in linear memory (of 4 MiB); the stack of the
/// host, 512 KiB by default, must not end first, and this leaves it a third (`quickjs-config.h`).
const STACK_BYTES_MAX: usize = 640 << 10;

/// An instance lives for one request: collecting cycles pays only for large heaps.
const GC_THRESHOLD_BYTES: usize = 16 << 20;

pub(crate) struct Engine {
    context: Context,
    prelude: Persistent<Object<'static>>,
}

thread_local! {
    static ENGINE: OnceCell<Engine> = const { OnceCell::new() };
}

impl Engine {
    /// Runs `action` with the engine of this instance, which the snapshot has booted.
    pub(crate) fn with<R>(action: impl FnOnce(&Self) -> R) -> R {
        ENGINE.with(|engine| action(engine.get_or_init(Self::boot)))
    }

    /// Answers one request with the function that the deployment's source exports for it.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let deployment = Deployment::read();
        let answered = self.context.with(|ctx| {
            let ran = self.run(&ctx, request, deployment);
            ran.map_err(|error| Problem::internal(format!("engine: {error}: {:?}", ctx.catch())))
        });
        answered.unwrap_or_else(|problem| problem.response(request.id()))
    }

    #[allow(clippy::expect_used, reason = "it runs while the engine is built, never on input")]
    fn boot() -> Self {
        let runtime = Runtime::new().expect("start the engine");
        runtime.set_memory_limit(MEMORY_BYTES_MAX);
        runtime.set_max_stack_size(STACK_BYTES_MAX);
        runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
        let context = Context::custom::<Intrinsics>(&runtime).expect("make the context");
        let prelude = context.with(|ctx| {
            native::install(&ctx).expect("install the native functions");
            match prelude::load(&ctx) {
                Ok(answer) => Persistent::save(&ctx, answer),
                Err(error) => unreachable!("the prelude is ours: {error}: {:?}", ctx.catch()),
            }
        });
        Self { context, prelude }
    }

    fn run(&self, ctx: &Ctx, request: &Request, deployment: Deployment) -> rquickjs::Result<Response> {
        let prelude = self.prelude.clone().restore(ctx)?;
        let raw = raw(ctx, request, deployment)?;
        let answer: Promise = prelude.get::<_, Function>("answer")?.call((raw.clone(),))?;
        settle(ctx, &prelude, &answer)?;
        let parts = match answer.result::<Array>() {
            Some(parts) => parts?,
            None => prelude.get::<_, Function>("unsettled")?.call((raw,))?,
        };
        response(&parts)
    }
}

/// Runs what there is to run until the promise is settled or nothing is left.
fn settle(ctx: &Ctx, prelude: &Object, promise: &Promise) -> rquickjs::Result<()> {
    let run_next_timer: Function = prelude.get("runNextTimer")?;
    loop {
        while ctx.execute_pending_job() {}
        if promise.state() != PromiseState::Pending || !run_next_timer.call::<_, bool>(())? {
            return Ok(());
        }
    }
}

/// The request as the prelude takes it.
fn raw<'js>(ctx: &Ctx<'js>, request: &Request, deployment: Deployment) -> rquickjs::Result<Object<'js>> {
    let headers: Vec<_> = request
        .headers()
        .map(|(name, value)| vec![name.to_owned(), String::from_utf8_lossy(value).into_owned()])
        .collect();
    let raw = Object::new(ctx.clone())?;
    raw.set("method", request.method())?;
    raw.set("uri", request.uri())?;
    raw.set("headers", headers)?;
    raw.set("body", TypedArray::<u8>::new(ctx.clone(), request.body())?)?;
    raw.set("name", deployment.source_name.as_str())?;
    raw.set("props", deployment.props.as_str())?;
    raw.set("detail", deployment.shows_errors)?;
    raw.set("load", Function::new(ctx.clone(), move |ctx| load(ctx, &deployment))?)?;
    Ok(raw)
}

/// The exports of the source, and the promise that its top level has run.
fn load<'js>(ctx: Ctx<'js>, deployment: &Deployment) -> rquickjs::Result<Vec<Value<'js>>> {
    let module = Module::declare(ctx, deployment.source_name.as_str(), deployment.source.as_str())?;
    let (module, loaded) = module.eval()?;
    Ok(vec![module.namespace()?.into_value(), loaded.into_value()])
}

fn response(parts: &Array) -> rquickjs::Result<Response> {
    let lines: Vec<Vec<String>> = parts.get(1)?;
    let mut response = Response::new(parts.get(0)?);
    for line in lines {
        if let [name, value] = &line[..] {
            response = response.header(name, value.as_str());
        }
    }
    let body: Option<TypedArray<u8>> = parts.get(2)?;
    Ok(response.with_body(body.as_ref().map(native::bytes_of).unwrap_or_default()))
}
