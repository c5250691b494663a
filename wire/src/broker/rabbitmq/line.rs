//! `Line`: one connection to RabbitMQ while it lives, and what keeps one up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, Event};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::pause::Pause;
use super::url::BrokerUrl;
use crate::Chain;

/// How long it may take to reach the broker and to be ready: a name, a handshake, some declarations.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection is looked at that may have gone without a word.
const LOOK: Duration = Duration::from_millis(500);

/// A living connection.
pub(super) struct Line {
    connection: Connection,
    /// Told when the connection is gone, or is to go.
    lost: CancellationToken,
    blocked: watch::Sender<bool>,
}

impl Line {
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    pub(super) fn is_up(&self) -> bool {
        !self.lost.is_cancelled() && self.connection.status().connected()
    }

    /// Whether the broker takes nothing at present.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(super) fn blocked(&self) -> watch::Receiver<bool> {
        self.blocked.subscribe()
    }

    /// Ends with the connection.
    pub(super) fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives the connection up, for another one to be made.
    pub(super) fn give_up(&self) {
        self.lost.cancel();
    }

    /// Says goodbye, so that the broker has read everything before the connection ends.
    async fn close(&self) {
        let closed = timeout(CONNECT_TIMEOUT, self.connection.close(200, "bye".into())).await;
        // It may be gone already.
        let _ = closed;
    }

    /// Watches the connection until it is gone.
    async fn watch(&self) {
        let mut events = self.connection.events_listener();
        let mut look = crate::ticks(LOOK);
        loop {
            tokio::select! {
                () = self.lost.cancelled() => return,
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        warn!(reason, "broker takes nothing");
                        self.blocked.send_replace(true);
                    }
                    Some(Event::ConnectionUnblocked) => {
                        info!("broker takes messages again");
                        self.blocked.send_replace(false);
                    }
                    Some(_) => {}
                    None => return self.lost.cancel(),
                },
                _ = look.tick() => {}
            }
            if !self.connection.status().connected() {
                return self.lost.cancel();
            }
        }
    }
}

/// What is set up on a connection: given to whoever needs one, for as long as it lives.
pub(super) type Up<S> = watch::Sender<Option<Arc<S>>>;

/// Makes of a new connection what is needed.
pub(super) type Open<S> = Box<dyn Fn(Arc<Line>) -> BoxFuture<'static, lapin::Result<S>> + Send + Sync>;

/// One of the connections of a process, made again whenever it breaks.
pub(super) struct Upkeep<S> {
    pub(super) url: BrokerUrl,
    /// What RabbitMQ shows.
    pub(super) name: String,
    pub(super) open: Open<S>,
    pub(super) up: Up<S>,
    /// Told when the broker refuses who we are.
    pub(super) refused: CancellationToken,
}

impl<S: Send + Sync + 'static> Upkeep<S> {
    /// Connects, again and again, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut pause = Pause::default();
        let mut told = false;
        while !stop.is_cancelled() {
            let connected = tokio::select! {
                connected = timeout(CONNECT_TIMEOUT, self.connect()) => connected,
                () = stop.cancelled() => return,
            };
            match connected.unwrap_or_else(|_late| Err(timed_out())) {
                Ok((line, session)) => {
                    (pause, told) = (Pause::default(), false);
                    info!(connection = self.name, broker = %self.url, "connected");
                    self.serve(&line, session, &stop).await;
                }
                Err(error) => {
                    if !told {
                        warn!(connection = self.name, broker = %self.url, error = %Chain(&error), "no connection");
                    }
                    told = true;
                    if is_refusal(&error) {
                        self.refused.cancel();
                    }
                }
            }
            let _stopped = timeout(pause.next(), stop.cancelled()).await;
        }
    }

    async fn connect(&self) -> lapin::Result<(Arc<Line>, S)> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let connection = Connection::connect_uri(self.url.uri(), properties).await?;
        let (lost, blocked) = (CancellationToken::new(), watch::Sender::new(false));
        let line = Arc::new(Line { connection, lost, blocked });
        let session = (self.open)(line.clone()).await?;
        Ok((line, session))
    }

    async fn serve(&self, line: &Line, session: S, stop: &CancellationToken) {
        self.up.send_replace(Some(Arc::new(session)));
        let stopped = tokio::select! {
            () = line.watch() => false,
            () = stop.cancelled() => true,
        };
        self.up.send_replace(None);
        line.give_up();
        if stopped {
            return line.close().await;
        }
        warn!(connection = self.name, "connection lost");
        // A connection that was given up may still stand.
        line.close().now_or_never();
    }
}

fn timed_out() -> lapin::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// Whether the broker will say the same the next time: wrong credentials, or no such virtual host.
fn is_refusal(error: &lapin::Error) -> bool {
    refusal_code(error).is_some_and(|code| [403, 530].contains(&code))
}

/// What the broker said by closing a channel or connection.
pub(super) fn refusal_code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

/// Waits a moment, for whoever tries again.
pub(super) async fn rest() {
    sleep(LOOK).await;
}
