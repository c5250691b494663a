//! A runner on the embedded broker, with one bundle to serve.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use runner::Config;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::broker::{Consumer, Embedded, Heard, Message, Queue, Subscription, Topic};
use wire::bundle::Code;
use wire::{
    Activation, ActivationId, Answer, Assignment, Body, Broker, Bundle, Control, FuncAssignment, Heartbeat,
    Invoke, Labels, MemberId, Namespace, RequestId, Role, RouteId, Store, Timestamp, Version, decode_lines,
    encode_line,
};

pub(crate) const REPLIES: &str = "reply.test";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running runner.
pub(crate) struct Harness {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) queue: String,
    pub(crate) func: FuncAssignment,
    pub(crate) activations: Subscription,
    heartbeats: Subscription,
    answers: Consumer,
    /// Answers that came together with others.
    unread: VecDeque<Answer>,
    config: Config,
    shutdown: CancellationToken,
    running: Option<JoinHandle<Result<(), runner::Error>>>,
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

/// What to deploy.
pub(crate) struct Deployment {
    pub(crate) document: Vec<u8>,
    pub(crate) code: Code,
    pub(crate) props: serde_json::Value,
    pub(crate) outbound: Vec<String>,
}

impl Deployment {
    pub(crate) fn new(document: &[u8], code: Code) -> Self {
        Self { document: document.to_vec(), code, props: serde_json::json!({}), outbound: Vec::new() }
    }

    /// A sample of the repository, by its folder.
    pub(crate) fn of(folder: &str) -> Self {
        let folder = root().join(folder);
        let document = std::fs::read(folder.join("funcatron.yaml")).unwrap();
        let code = match std::fs::read(folder.join("func.wasm")) {
            Ok(wasm) => Code::Wasm(wasm.into()),
            Err(_) => Code::JavaScript(std::fs::read(folder.join("index.js")).unwrap().into()),
        };
        Self::new(&document, code)
    }

    pub(crate) fn javascript(document: &str, source: &str) -> Self {
        Self::new(document.as_bytes(), Code::JavaScript(source.as_bytes().to_vec().into()))
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The limits of a test: short, so that what must be ended is ended soon.
pub(crate) fn config() -> Config {
    let mut compiler = std::env::current_exe().unwrap();
    compiler.pop();
    compiler.pop();
    compiler.push("examples/compile");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("artefacts");
    let mut config = Config::new(MemberId::generate(Role::Runner), cache, compiler);
    config.threads = 1;
    config.slots = 8;
    config.dev = true;
    config
}

pub(crate) async fn start(deployment: Deployment) -> Harness {
    start_with(config(), deployment).await
}

pub(crate) async fn start_with(config: Config, deployment: Deployment) -> Harness {
    let mut harness = begin(config, deployment).await;
    let heartbeat = harness.heartbeat(1).await;
    assert!(heartbeat.failed.is_empty(), "{:?}", heartbeat.failed);
    harness
}

/// Starts a runner and assigns the bundle, without a look at whether it was loaded.
pub(crate) async fn begin(config: Config, deployment: Deployment) -> Harness {
    let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
    begin_over(broker.clone(), broker, config, deployment).await
}

/// The same with a runner that reaches the broker by way of `reached`.
pub(crate) async fn begin_over(
    broker: Arc<dyn Broker>,
    reached: Arc<dyn Broker>,
    config: Config,
    deployment: Deployment,
) -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::directory(folder.path()).unwrap();
    let zip = Bundle::pack(&deployment.document, &deployment.code).unwrap();
    let sha = store.put_bundle(zip).await.unwrap();
    let replies = Queue {
        name: REPLIES.into(),
        len_max: 1000,
        bytes_max: 1 << 30,
        dead_letter: None,
        private: false,
        single_active: false,
    };
    broker.declare(&replies).await.unwrap();
    let answers = broker.consume(REPLIES, 1000).await.unwrap();
    let activations = broker.subscribe(Topic::Activations).await.unwrap();
    let heartbeats = broker.subscribe(Topic::Heartbeats).await.unwrap();

    let shutdown = CancellationToken::new();
    let running = Some(tokio::spawn(runner::run(config.clone(), reached, store.clone(), shutdown.clone())));
    let namespace = Namespace::default();
    let route = RouteId::of(&namespace, "*", "/api");
    let queue = format!("func.{route}.{}", sha.short());
    let func = FuncAssignment {
        queue: queue.clone(),
        route,
        namespace,
        base_path: "/api".into(),
        sha,
        props: deployment.props.as_object().unwrap().clone(),
        outbound: deployment.outbound,
        placement: Labels::default(),
        on: None,
        draining: false,
        mirrors: Vec::new(),
    };
    let mut harness = Harness {
        broker,
        queue,
        func: func.clone(),
        activations,
        heartbeats,
        answers,
        unread: VecDeque::new(),
        config,
        shutdown,
        running,
        store,
        folder,
    };
    harness.heartbeat(0).await;
    harness.assign(1, vec![func]).await;
    harness
}

/// An invoke of this operation, to be changed at will.
pub(crate) fn invoke(method: &str, path: &str) -> Invoke {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Invoke {
        v: Version,
        id: RequestId::generate(),
        activation: ActivationId::generate(),
        namespace: Namespace::default(),
        at: Timestamp::now(),
        deadline: Timestamp::now().after(PATIENCE),
        attempt: 1,
        retry: 0,
        reply_to: Some(REPLIES.into()),
        asynchronous: false,
        queue: None,
        bundle: None,
        replay: None,
        method: method.into(),
        scheme: "http".into(),
        host: "a.test".into(),
        path: path.into(),
        query: query.into(),
        headers: Vec::new(),
        client: None,
        traceparent: None,
        sent_us: None,
        body: Body::EMPTY,
    }
}

impl Harness {
    pub(crate) async fn assign(&self, version: u64, funcs: Vec<FuncAssignment>) {
        let assignment = Control::Assignment(Assignment { v: Version, version, funcs });
        self.broker.broadcast(Topic::Control, encode_line(&assignment).unwrap()).await.unwrap();
    }

    /// The next heartbeat of that version.
    pub(crate) async fn heartbeat(&mut self, version: u64) -> Heartbeat {
        loop {
            let heartbeat: Heartbeat = hear(&mut self.heartbeats).await.remove(0);
            if heartbeat.version == version {
                return heartbeat;
            }
        }
    }

    pub(crate) async fn send(&self, invokes: &[Invoke]) {
        let lines: Vec<u8> = invokes.iter().flat_map(|invoke| encode_line(invoke).unwrap()).collect();
        self.send_raw(lines).await;
    }

    pub(crate) async fn send_raw(&self, lines: impl Into<Bytes>) {
        self.broker.publish(&self.queue, Message::new(lines.into())).await.unwrap();
    }

    pub(crate) async fn answer_message(&mut self) -> Message {
        let delivery = tokio::time::timeout(PATIENCE, self.answers.next()).await.unwrap().unwrap();
        let message = delivery.message.clone();
        delivery.ack();
        message
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        if self.unread.is_empty() {
            self.unread = decode_lines(&self.answer_message().await.payload).unwrap().into();
        }
        self.unread.pop_front().unwrap()
    }

    pub(crate) async fn call(&mut self, invoke: Invoke) -> Answer {
        self.send(std::slice::from_ref(&invoke)).await;
        let answer = self.answer().await;
        assert_eq!(answer.activation, invoke.activation);
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.call(invoke("GET", path)).await
    }

    /// The next record.
    pub(crate) async fn activation(&mut self) -> Activation {
        hear(&mut self.activations).await.remove(0)
    }

    /// Tells the runner to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Stops the runner and waits for its end.
    pub(crate) async fn shut_down(&mut self) {
        self.tell_to_stop();
        let running = self.running.take().unwrap();
        tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    }

    /// What the runner came to that ends by itself.
    pub(crate) async fn ended(mut self) -> Result<(), runner::Error> {
        tokio::time::timeout(PATIENCE, self.running.take().unwrap()).await.unwrap().unwrap()
    }

    /// Ends the runner as a crash does, which must have been told to leave running calls no time, and
    /// starts another.
    pub(crate) async fn crash(&mut self) {
        assert!(self.config.drain_timeout.is_zero());
        self.shut_down().await;
        self.shutdown = CancellationToken::new();
        let config = Config { member: MemberId::generate(Role::Runner), ..self.config.clone() };
        let store = Store::directory(self.folder.path()).unwrap();
        let member = config.member.clone();
        let running = runner::run(config, self.broker.clone(), store, self.shutdown.clone());
        self.running = Some(tokio::spawn(running));
        while self.heartbeat(0).await.member != member {}
        self.assign(1, vec![self.func.clone()]).await;
    }

    /// Cuts off what is in the Func's queue: somebody takes so many messages and goes away. The runner
    /// gets what is left of them.
    pub(crate) async fn cut_off(&mut self, invokes: &[Invoke]) {
        let version = Timestamp::now().0;
        self.assign(version, Vec::new()).await;
        self.heartbeat(version).await;
        while self.broker.depth(&self.queue).await.unwrap().consumers > 0 {
            tokio::task::yield_now().await;
        }
        for invoke in invokes {
            self.send(std::slice::from_ref(invoke)).await;
        }
        let mut dying = self.broker.consume(&self.queue, 100).await.unwrap();
        for _ in invokes {
            let _unfinished = dying.next().await.unwrap();
        }
        drop(dying);
        self.assign(version + 1, vec![self.func.clone()]).await;
    }

    /// The next message of a queue.
    pub(crate) async fn next(&self, queue: &str) -> Message {
        let patience = tokio::time::Instant::now() + PATIENCE;
        let mut consumer = loop {
            match self.broker.consume(queue, 1).await {
                Ok(consumer) => break consumer,
                Err(error) => assert!(tokio::time::Instant::now() < patience, "{error}"),
            }
            tokio::task::yield_now().await;
        };
        let delivery = tokio::time::timeout(PATIENCE, consumer.next()).await.unwrap().unwrap();
        let message = delivery.message.clone();
        delivery.ack();
        message
    }

    /// Where calls of the Func are given up to.
    pub(crate) fn dead_letters(&self) -> String {
        wire::broker::dead_letters(&self.func.route)
    }

    /// Stops the runner at the end of a test.
    pub(crate) async fn stop(mut self) {
        self.shut_down().await;
    }
}

async fn hear<T: serde::de::DeserializeOwned>(subscription: &mut Subscription) -> Vec<T> {
    match tokio::time::timeout(PATIENCE, subscription.next()).await.unwrap() {
        Some(Heard::Payload(payload)) => decode_lines(&payload).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The body of an answer as text.
pub(crate) fn text(answer: &Answer) -> String {
    let Body::Inline(bytes) = &answer.body else { panic!("stored body") };
    String::from_utf8_lossy(bytes).into_owned()
}

/// The body of an answer as JSON.
pub(crate) fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&text(answer)).unwrap()
}
