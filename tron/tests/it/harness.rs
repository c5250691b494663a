//! A Tron with its own broker and store, a stand-in runner, and a client of the admin API.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tron::{Config, Error, Handle, Inspect, Opened, Scaling, Token, Tron};
use wire::admin::DeployRequest;
use wire::broker::{Embedded, Heard, RESULTS, Topic};
use wire::bundle::Code;
use wire::egress::AllowList;
use wire::{
    Activation, ActivationId, Assignment, Body, Broker, Bundle, BundleSha, Control, Fault, Heartbeat, Invoke,
    MemberId, Namespace, RequestId, Role, RouteId, Store, Timestamp, Version,
};

/// Everything here takes milliseconds; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const TOKEN: &str = "secret";

/// A running Tron. Intervals are short, so that what the timer brings about comes soon.
pub(crate) struct Stage {
    pub(crate) handle: Handle,
    pub(crate) broker: Arc<Embedded>,
    pub(crate) store: Store,
    pub(crate) inspections: Arc<AtomicUsize>,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    running: Option<JoinHandle<Result<(), Error>>>,
    /// Kept until the end of the test.
    pub(crate) dir: Option<TempDir>,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut stage = Self::on(Store::directory(dir.path()).unwrap()).await;
        stage.dir = Some(dir);
        stage
    }

    /// A Tron over a store that is there already.
    pub(crate) async fn on(store: Store) -> Self {
        Self::over(Arc::new(Embedded::new()), store, AllowList::default()).await
    }

    /// The same, which may post results to these hosts.
    pub(crate) async fn with(store: Store, callbacks: AllowList) -> Self {
        Self::over(Arc::new(Embedded::new()), store, callbacks).await
    }

    /// A Tron over a store and a broker that are there already.
    pub(crate) async fn over(broker: Arc<Embedded>, store: Store, callbacks: AllowList) -> Self {
        Self::launch(Config { callbacks, ..config() }, broker, store).await
    }

    /// One that scales pools.
    pub(crate) async fn scaling(broker: Arc<Embedded>, store: Store, scaling: Scaling) -> Self {
        Self::launch(Config { scaling: Some(scaling), ..config() }, broker, store).await
    }

    async fn launch(config: Config, broker: Arc<Embedded>, store: Store) -> Self {
        let inspections = Arc::new(AtomicUsize::new(0));
        let (tron, handle) = Tron::new(config, broker.clone(), store.clone(), inspector(&inspections));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(tron.run(listener, stop.clone()));
        Self { handle, broker, store, inspections, address, stop, running: Some(running), dir: None }
    }

    /// Stops it and gives what came of it.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        in_time(self.running.take().unwrap()).await.unwrap()
    }

    /// Stops it; its store stays until what this gives is dropped.
    pub(crate) async fn retire(mut self) -> Option<TempDir> {
        let dir = self.dir.take();
        self.stop().await.unwrap();
        dir
    }

    pub(crate) async fn upload(&self, document: &str) -> BundleSha {
        self.handle.upload(zip(document)).await.unwrap().bundle.sha.clone()
    }

    /// Has a bundle serve `/a`: the route, and which it is.
    pub(crate) async fn deployed(&self) -> (RouteId, BundleSha) {
        let sha = self.upload(&document("A", 1)).await;
        (self.handle.deploy(&request(&sha), "me").await.unwrap().route, sha)
    }

    /// Asks the admin API as the one who holds the token.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        let content_type = if path == "/bundles" { "application/zip" } else { "application/json" };
        let headers =
            [("authorization", format!("Bearer {TOKEN}")), ("content-type", content_type.to_owned())];
        Reply::read(self.send(method, path, &headers, body.into()).await).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Bytes,
    ) -> hyper::Response<Incoming> {
        self.send_to(method, &format!("/api/v1{path}"), headers, body).await
    }

    /// The same to a path that need not be of the API.
    pub(crate) async fn send_to(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Bytes,
    ) -> hyper::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        in_time(sender.send_request(request.body(Full::new(body)).unwrap())).await.unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn config() -> Config {
    Config {
        callback_pause: Duration::from_millis(10),
        heartbeat_interval: Duration::from_millis(50),
        reconcile_interval: Duration::from_millis(50),
        drain_grace: Duration::from_millis(100),
        ready_timeout: Duration::from_millis(500),
        bundle_bytes_max: 1024 * 1024,
        sweep_interval: Duration::from_millis(50),
        capture_linger: Duration::from_millis(50),
        ..Config::new(MemberId::generate(Role::Tron), Token::from_text(TOKEN).unwrap())
    }
}

/// A response, whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) async fn read(response: hyper::Response<Incoming>) -> Self {
        let status = response.status().as_u16();
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        let body = in_time(response.into_body().collect()).await.unwrap().to_bytes();
        Self { status, headers, body }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Stands in for a runner: loads whatever it is assigned, or fails to, and says so.
pub(crate) struct Runner {
    task: JoinHandle<()>,
}

impl Runner {
    pub(crate) async fn start(broker: &Arc<Embedded>, failure: Option<&'static str>) -> Self {
        Self::failing(broker, failure, u64::MAX).await
    }

    /// One that loads nothing before this version.
    pub(crate) async fn failing(broker: &Arc<Embedded>, failure: Option<&'static str>, before: u64) -> Self {
        let broker = Arc::clone(broker);
        let mut control = broker.subscribe(Topic::Control).await.unwrap();
        let member = MemberId::generate(Role::Runner);
        let task = tokio::spawn(async move {
            let mut held: Option<Assignment> = None;
            loop {
                let failure = failure.filter(|_| held.as_ref().is_some_and(|held| held.version < before));
                say(&*broker, &member, held.as_ref(), failure).await;
                // Again soon although nothing came: Tron may not have been there to hear it.
                match tokio::time::timeout(Duration::from_millis(50), control.next()).await {
                    Ok(Some(heard)) => held = assignment(heard).or(held),
                    Ok(None) => return,
                    Err(_nothing_new) => {}
                }
            }
        });
        Self { task }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn say(broker: &dyn Broker, member: &MemberId, held: Option<&Assignment>, failure: Option<&str>) {
    let funcs = held.iter().flat_map(|held| &held.funcs);
    let failed: BTreeMap<String, String> =
        funcs.filter_map(|func| Some((func.queue.clone(), failure?.to_owned()))).collect();
    let version = held.map_or(0, |held| held.version);
    let heartbeat = Heartbeat { failed, ..Heartbeat::now(member.clone(), Role::Runner, version) };
    broker.broadcast(Topic::Heartbeats, wire::encode_line(&heartbeat).unwrap()).await.unwrap();
}

pub(crate) fn assignment(heard: Heard) -> Option<Assignment> {
    let Heard::Payload(payload) = heard else { return None };
    match wire::decode_line(&payload).unwrap() {
        Control::Assignment(assignment) => Some(assignment),
        Control::Routes { .. } | Control::Observation(_) | Control::Cancel { .. } => None,
    }
}

/// Refuses code that says `refuse`, and counts.
fn inspector(inspections: &Arc<AtomicUsize>) -> Inspect {
    let inspections = Arc::clone(inspections);
    Arc::new(move |Opened { bundle, .. }: Opened| {
        inspections.fetch_add(1, Ordering::Relaxed);
        let is_refused = matches!(&bundle.code, Code::JavaScript(text) if text.ends_with(b"refuse"));
        let fault = || Fault { location: "bundle".into(), pointer: "/code".into(), reason: "refused".into() };
        async move { if is_refused { Err(vec![fault()]) } else { Ok(()) } }.boxed()
    })
}

/// A call whose caller does not wait.
pub(crate) fn invoke(activation: ActivationId) -> Invoke {
    let at = Timestamp::now();
    Invoke {
        v: Version,
        id: RequestId::generate(),
        activation,
        namespace: Namespace::default(),
        at,
        deadline: at.after(Duration::from_secs(60)),
        attempt: 1,
        retry: 0,
        reply_to: Some(RESULTS.into()),
        asynchronous: true,
        queue: None,
        bundle: None,
        replay: None,
        method: "GET".into(),
        scheme: "http".into(),
        host: "h".into(),
        path: "/a/x".into(),
        query: String::new(),
        headers: Vec::new(),
        client: None,
        traceparent: None,
        sent_us: None,
        body: Body::EMPTY,
    }
}

/// What a runner tells of this call, that went well.
pub(crate) fn activation(invoke: &Invoke) -> Activation {
    Activation {
        v: Version,
        id: invoke.activation,
        request_id: invoke.id.clone(),
        namespace: invoke.namespace.clone(),
        route: RouteId::of(&invoke.namespace, "*", "/a"),
        bundle: BundleSha::of(b""),
        operation: Some("getX".into()),
        attempt: invoke.attempt,
        member: MemberId::generate(Role::Runner),
        method: invoke.method.clone(),
        path: invoke.path.clone(),
        status: 200,
        at: invoke.at,
        queued_ms: 0,
        service_us: 9,
        cpu_us: 8,
        error: None,
        replay_of: None,
        difference: None,
        logs: Vec::new(),
    }
}

/// A document of this title, at `/a`.
pub(crate) fn document(title: &str, version: u32) -> String {
    format!(
        r#"{{"openapi":"3.1.0","info":{{"title":"{title}","version":"{version}"}},"servers":[{{"url":"/a"}}],
        "paths":{{"/x":{{"get":{{"operationId":"getX","responses":{{"200":{{"description":"x"}}}}}}}}}}}}"#
    )
}

pub(crate) fn zip(document: &str) -> Bytes {
    zip_of(document, "code")
}

pub(crate) fn zip_of(document: &str, code: &'static str) -> Bytes {
    Bundle::pack(document.as_bytes(), &Code::JavaScript(Bytes::from_static(code.as_bytes()))).unwrap()
}

pub(crate) fn request(sha: &BundleSha) -> DeployRequest {
    DeployRequest {
        sha: sha.clone(),
        host: None,
        base_path: None,
        props: None,
        outbound: None,
        weight: None,
        trial: None,
        replace: false,
    }
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}
