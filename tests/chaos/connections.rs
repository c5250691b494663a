//! `Connections`: keep-alive HTTP connections to one frontend, each used by one request at a time.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) struct Connections {
    pub(crate) address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
}

pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// What became of a request that was to be sent.
pub(crate) enum Sent {
    Answered(Response<Incoming>, Connection),
    /// It may have reached the other side.
    Broken(String),
    /// It has not left this process.
    Unsent,
}

/// On a loopback a connection is taken at once, or the process is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

impl Connections {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: Mutex::default() }
    }

    /// Sends it on an idle connection or a new one. A connection that has ended is noticed before the
    /// request is written or not at all: nothing is ever sent twice.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Sent {
        loop {
            let (mut connection, is_new) = match self.take() {
                Some(connection) => (connection, false),
                None => match self.connect().await {
                    Some(connection) => (connection, true),
                    None => return Sent::Unsent,
                },
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Sent::Answered(response, connection),
                Err(mut error) => match error.take_message() {
                    Some(_unsent) if is_new => return Sent::Unsent,
                    Some(unsent) => request = unsent,
                    None => return Sent::Broken(chain(&error.into_error())),
                },
            }
        }
    }

    /// Gives a connection back whose response was read whole.
    pub(crate) fn give_back(&self, connection: Connection) {
        self.idle().push(connection);
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle();
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Option<Connection> {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address)).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        // It ends with the connection.
        tokio::spawn(driver);
        Some(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap()
    }
}

/// An error and what is behind it in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        told += &format!(": {error}");
        source = error.source();
    }
    told
}
