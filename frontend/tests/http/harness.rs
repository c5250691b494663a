//! `Stage`: a frontend with a stand-in behind it, and raw clients in front.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use frontend::Config;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::broker::{Broker, Embedded, Message, REQUESTS};
use wire::{Answer, Body, Invoke, Store, Version, decode_lines, encode_line};

/// Everything here takes milliseconds; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) broker: Arc<Embedded>,
    pub(crate) store: Store,
    pub(crate) shutdown: CancellationToken,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) frontend: JoinHandle<Result<(), frontend::Error>>,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// A frontend whose calls are answered by the echo below.
    pub(crate) async fn start(config: Config) -> Self {
        Self::with(config, echo).await
    }

    pub(crate) async fn with(config: Config, behind: fn(&Invoke) -> Vec<Answer>) -> Self {
        Self::beside(Arc::new(Embedded::new()), config, behind).await
    }

    /// The same over a broker that is there already.
    pub(crate) async fn beside(
        broker: Arc<Embedded>,
        config: Config,
        behind: fn(&Invoke) -> Vec<Answer>,
    ) -> Self {
        Self::idle(broker, config).await.answered_by(behind)
    }

    /// A frontend with nobody behind it.
    pub(crate) async fn alone(config: Config) -> Self {
        Self::idle(Arc::new(Embedded::new()), config).await
    }

    async fn idle(broker: Arc<Embedded>, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::directory(folder.path()).unwrap();
        Self { folder, ..Self::between(broker, config, store).await }
    }

    /// A frontend over a store that is there already.
    pub(crate) async fn over(config: Config, store: Store) -> Self {
        Self::between(Arc::new(Embedded::new()), config, store).await
    }

    async fn between(broker: Arc<Embedded>, config: Config, store: Store) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, calls) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        broker.declare(&wire::broker::requests_queue()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let frontend = frontend::run(config, listener, broker.clone(), store.clone(), shutdown.clone());
        let frontend = tokio::spawn(frontend);
        Self { address, broker, store, shutdown, calls, frontend, folder }
    }

    pub(crate) fn answered_by(self, behind: fn(&Invoke) -> Vec<Answer>) -> Self {
        tokio::spawn(answer_all(self.broker.clone(), behind, self.calls.clone()));
        self
    }

    pub(crate) async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), ahead: Vec::new() }
    }

    /// Sends these bytes and reads until the server closes.
    pub(crate) async fn talk(&self, input: &[u8]) -> String {
        let mut client = self.client().await;
        client.send(input).await;
        client.rest().await
    }

    /// Makes one request on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let mut client = self.client().await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes()).await;
        client.reply().await
    }

    /// Makes a request with these headers on a connection of its own.
    pub(crate) async fn ask(&self, line: &str, headers: &[&str]) -> Reply {
        let mut client = self.client().await;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        client.send(format!("{line} HTTP/1.1\r\nHost: a.test\r\n{headers}\r\n").as_bytes()).await;
        client.reply().await
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn answer_all(broker: Arc<Embedded>, behind: fn(&Invoke) -> Vec<Answer>, calls: Arc<AtomicUsize>) {
    let mut consumer = broker.consume(REQUESTS, 64).await.unwrap();
    while let Some(delivery) = consumer.next().await {
        for invoke in decode_lines::<Invoke>(&delivery.message.payload).unwrap() {
            calls.fetch_add(1, Ordering::SeqCst);
            let lines: Vec<u8> =
                behind(&invoke).iter().flat_map(|answer| encode_line(answer).unwrap()).collect();
            let reply_to = invoke.reply_to.unwrap();
            if !lines.is_empty() {
                // The frontend may be gone by now.
                let _ = broker.publish(&reply_to, Message::new(lines.into())).await;
            }
        }
        delivery.ack();
    }
}

/// An answer that tells what arrived, or is what arrived if that is in the store; none for `/silent`.
pub(crate) fn echo(invoke: &Invoke) -> Vec<Answer> {
    if invoke.path == "/silent" {
        return Vec::new();
    }
    let Body::Inline(body) = &invoke.body else {
        return vec![Answer { body: invoke.body.clone(), ..answer(invoke, 200, &[], "") }];
    };
    let text = format!(
        "{} {}://{}{}?{} {:?} {}",
        invoke.method,
        invoke.scheme,
        invoke.host,
        invoke.path,
        invoke.query,
        invoke.headers,
        String::from_utf8_lossy(body)
    );
    vec![answer(invoke, 200, &[("content-type", "text/plain")], &text)]
}

pub(crate) fn answer(invoke: &Invoke, status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer {
        v: Version,
        id: invoke.id.clone(),
        activation: invoke.activation,
        attempt: 1,
        bundle: None,
        status,
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        body: Body::from(body.to_owned()),
        part: 0,
        more: false,
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    ahead: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // A refused client may be cut off while it still sends.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next response, by its content-length.
    pub(crate) async fn reply(&mut self) -> Reply {
        let head = self.head().await;
        let mut reply = Reply {
            status: head.get(9..12).and_then(|digits| digits.parse().ok()).unwrap(),
            head,
            body: String::new(),
        };
        let len = reply.header("content-length").map_or(0, |len| len.parse().unwrap());
        while self.ahead.len() < len {
            assert!(self.read().await, "closed within a body: {reply:?}");
        }
        reply.body = String::from_utf8(self.ahead.drain(..len).collect()).unwrap();
        reply
    }

    /// The next head alone, as for HEAD.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                return String::from_utf8(self.ahead.drain(..end + 4).collect()).unwrap();
            }
            assert!(self.read().await, "closed within a head: {:?}", String::from_utf8_lossy(&self.ahead));
        }
    }

    /// All that comes until the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.rest_bytes().await).into_owned()
    }

    pub(crate) async fn rest_bytes(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.ahead)
    }

    /// Sends and receives all there is at once, as clients with long bodies have to.
    pub(crate) async fn exchange(mut self, request: &[u8]) -> Vec<u8> {
        let (mut from, mut to) = self.stream.split();
        // A refused client may be cut off while it still sends.
        let send = async { _ = to.write_all(request).await };
        let receive = async { from.read_to_end(&mut self.ahead).await };
        let ((), received) = timeout(PATIENCE, async { tokio::join!(send, receive) }).await.unwrap();
        received.unwrap();
        self.ahead
    }

    async fn read(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.ahead);
        matches!(timeout(PATIENCE, read).await.expect("the server goes on"), Ok(1..))
    }
}
