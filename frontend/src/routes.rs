//! `Routes`: follows the routes that Tron publishes, and says how far we are with them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use dispatch::Table;
use tokio::sync::watch;
use tracing::{error, info, warn};
use wire::broker::{Broker, Heard, Listener, Topic};
use wire::{Chain, Control, ControlHead, Heartbeat, MemberId, Role, decode_line, split_lines};

/// The routes that Tron published last. They hold on when Tron is gone.
pub(crate) struct Routes {
    broker: Arc<dyn Broker>,
    member: MemberId,
    table: watch::Sender<Arc<Table>>,
    version: u64,
}

impl Routes {
    /// No routes yet, and where they are going to be seen.
    pub(crate) fn new(broker: Arc<dyn Broker>, member: MemberId) -> (Self, watch::Receiver<Arc<Table>>) {
        let (table, seen) = watch::channel(Arc::default());
        (Self { broker, member, table, version: 0 }, seen)
    }

    /// Follows for as long as it is polled.
    pub(crate) async fn run(mut self) -> Infallible {
        let mut control = Listener::open(self.broker.clone(), Topic::Control).await;
        let mut beats = wire::ticks(Heartbeat::INTERVAL);
        loop {
            tokio::select! {
                _ = beats.tick() => self.beat().await,
                heard = control.next() => {
                    let before = self.version;
                    // What is missed is told again, as soon as a heartbeat shows that we are behind.
                    if let Heard::Payload(payload) = heard {
                        split_lines(&payload).for_each(|line| self.hear(&line));
                    }
                    if self.version > before {
                        self.beat().await;
                    }
                }
            }
        }
    }

    /// Most of what is heard is known: only what is new is read.
    fn hear(&mut self, line: &Bytes) {
        match decode_line::<ControlHead>(line) {
            Ok(head) if head.version > self.version => {}
            Ok(head) if head.version == self.version => return self.serve_all_but(head.unserved),
            Ok(_) => return,
            Err(error) => return warn!(error = %Chain(&error), "control message cannot be read"),
        }
        let Ok(Control::Routes { version, routes, unserved, .. }) = decode_line(line) else { return };
        match Table::build(&routes) {
            Ok(table) => {
                info!(version, routes = routes.len(), "routes in force");
                self.table.send_replace(Arc::new(table.with_unserved(unserved)));
                self.version = version;
            }
            Err(bad) => error!(version, error = %bad, "routes refused, those before them hold on"),
        }
    }

    /// Of the same routes, other queues are served than before: runners have come or gone.
    fn serve_all_but(&self, unserved: Option<BTreeMap<String, String>>) {
        let Some(unserved) = unserved else { return };
        self.table.send_if_modified(|table| {
            let is_news = unserved != *table.unserved();
            if is_news {
                *table = Arc::new(table.with_unserved(unserved));
            }
            is_news
        });
    }

    async fn beat(&self) {
        Heartbeat::now(self.member.clone(), Role::Frontend, self.version).send(&*self.broker).await;
    }
}
