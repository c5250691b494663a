//! The HTTP server on its own: what any handler can rely on. Hostile clients are tried with the frontend.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken stage is a failed test")]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::Component;
use wire::http::{Handler, Limits, Request, Response, ResponseBody, full, lines, serve};

/// Everything here takes milliseconds; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A piece of a body that no buffer on the way to a client can hold.
const PIECE: Bytes = Bytes::from_static(&[b'x'; 1 << 20]);
const ENDLESS_PIECES: u64 = 1 << 20;

#[derive(Clone)]
struct Pages {
    /// Hears of each piece of the endless body that is taken; it closes when nobody takes them any more.
    taken: mpsc::WeakUnboundedSender<()>,
}

impl Handler for Pages {
    const COMPONENT: Component = Component::Admin;

    async fn handle(&self, request: Request, _client: SocketAddr) -> Response {
        match request.uri().path() {
            "/panic" => panic!("on purpose"),
            "/hang" => std::future::pending().await,
            "/lines" => {
                let (lines, response) = lines();
                tokio::spawn(async move {
                    for line in ["1\n", "2\n"] {
                        lines.send(Bytes::from_static(line.as_bytes())).await;
                    }
                });
                response
            }
            "/endless" => endless(self.taken.upgrade().unwrap()),
            _ => full(200, &[], Bytes::from_static(b"page")).unwrap(),
        }
    }
}

fn endless(taken: mpsc::UnboundedSender<()>) -> Response {
    let pieces = stream::repeat_with(move || {
        taken.send(()).unwrap();
        Ok(PIECE)
    });
    let mut response = full(200, &[], Bytes::new()).unwrap();
    *response.body_mut() = ResponseBody::stored(pieces.boxed(), ENDLESS_PIECES * PIECE.len() as u64);
    response
}

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(limits: Limits) -> Server {
    start_with(limits, mpsc::unbounded_channel().0.downgrade()).await
}

async fn start_with(limits: Limits, taken: mpsc::WeakUnboundedSender<()>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
    let task = tokio::spawn(serve(listener, limits, Pages { taken }, shutdown.clone()));
    Server { address, shutdown, task }
}

/// Asks for one page on a connection that is closed afterwards; gives back all that came.
async fn get(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut output = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut output)).await.expect("the connection ends").unwrap();
    output
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_only() {
    let server = start(Limits { connections_max: 1, ..Limits::default() }).await;
    for _ in 0..3 {
        assert_eq!(get(&server, "/panic").await, "");
    }
    assert!(get(&server, "/").await.ends_with("\r\n\r\npage"));
}

#[tokio::test]
async fn lines_are_sent_one_by_one() {
    let server = start(Limits::default()).await;
    let output = get(&server, "/lines").await;
    assert!(output.contains("application/x-ndjson"), "{output}");
    assert!(output.ends_with("2\r\n1\n\r\n2\r\n2\n\r\n0\r\n\r\n"), "{output}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up_and_little_was_made_ready_for_it() {
    let (sender, mut taken) = mpsc::unbounded_channel();
    let limits = Limits { body_idle_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = start_with(limits, sender.downgrade()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    stream.readable().await.unwrap();
    drop(sender);
    let mut pieces = 0;
    while timeout(PATIENCE, taken.recv()).await.expect("the client is given up").is_some() {
        pieces += 1;
    }
    // What the kernel holds for two sockets, and a little that hyper has in hand.
    assert!((1..32).contains(&pieces), "{pieces} MiB were made ready");
}

#[tokio::test]
async fn connections_that_do_not_drain_are_cut() {
    let server = start(Limits { drain_timeout: Duration::from_millis(50), ..Limits::default() }).await;
    let mut hanging = TcpStream::connect(server.address).await.unwrap();
    hanging.write_all(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // Another connection's answer shows that this one has been accepted.
    get(&server, "/").await;
    server.shutdown.cancel();
    let mut output = String::new();
    timeout(PATIENCE, hanging.read_to_string(&mut output)).await.expect("the connection is cut").unwrap();
    assert_eq!(output, "");
    drop(hanging);
    timeout(PATIENCE, server.task).await.expect("the server ends").unwrap();
}

#[test]
fn headers_that_cannot_be_sent_are_an_error() {
    for (name, value) in [("a b", "c"), ("a", "b\r\nc: d"), ("", "a")] {
        assert!(full(200, &[(name.into(), value.into())], Bytes::new()).is_err(), "{name:?}: {value:?}");
    }
    assert!(full(1_000, &[], Bytes::new()).is_err());
}
