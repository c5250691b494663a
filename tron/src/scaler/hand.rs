//! `Hand`: has the substrate bring one pool to the number that is wanted. A slow substrate holds up nobody else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use substrate::{Substrate, Template};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wire::Chain;

/// What is wanted is said again this often: what came between is made up for, and who leaves is looked after.
const AGAIN: Duration = Duration::from_secs(2);
/// A substrate bounds its calls itself, and may take that long with a busy engine; this is for one that does not.
const PATIENCE: Duration = Duration::from_secs(100);

/// What a pool is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// How many runners.
    pub(crate) runners: usize,
    /// The instances that serve.
    pub(crate) ready: BTreeSet<String>,
}

/// Brings one pool to what is wanted.
pub(crate) struct Hand {
    pub(crate) substrate: Arc<dyn Substrate>,
    pub(crate) template: Template,
    /// None while somebody else leads.
    pub(crate) wish: watch::Receiver<Option<Wish>>,
    /// Why it could not, the last time.
    pub(crate) trouble: watch::Sender<Option<String>>,
}

impl Hand {
    /// Works until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let wish = self.wish.borrow_and_update().clone();
            let work = async {
                if let Some(wish) = wish {
                    self.grant(&wish).await;
                }
                // Whether it changed or only the time passed: it is said again.
                let _again = timeout(AGAIN, self.wish.changed()).await;
            };
            if shutdown.run_until_cancelled(work).await.is_none() || self.wish.has_changed().is_err() {
                return;
            }
        }
    }

    async fn grant(&self, wish: &Wish) {
        let scaled = timeout(PATIENCE, self.substrate.scale(&self.template, wish.runners, &wish.ready)).await;
        let trouble = match scaled {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Chain(&error).to_string()),
            Err(_late) => Some(format!("the substrate did not start or stop runners within {PATIENCE:?}")),
        };
        let pool = &self.template.pool;
        self.trouble.send_if_modified(|before| {
            let is_news = *before != trouble;
            match &trouble {
                Some(error) if is_news => warn!(%pool, %error, "pool not brought to its number"),
                None if is_news => info!(%pool, "pool can be brought to its number again"),
                Some(_) | None => {}
            }
            *before = trouble;
            is_news
        });
    }
}
